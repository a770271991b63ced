/** One measured number beside its goal. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: Unit;
  /** The most that it may be. Absent where the number is there to compare with. */
  readonly goal?: number;
  /** What a reader must know to understand it. */
  readonly note?: string;
  /** Why it is more than the goal, where that is known. Told only when it is. */
  readonly why?: string;
}

export type Unit = 's' | 'ms' | 'MiB' | 'writes' | 'writes/min' | 'cores' | '';

/** What one measurement came to. */
export interface Section {
  readonly title: string;
  /** How it was measured. */
  readonly how: string;
  readonly figures: readonly Figure[];
  /** Rows behind the figures, the first of them the head. */
  readonly details?: readonly (readonly string[])[];
}

const digits: Record<Unit, number> = {s: 2, ms: 1, MiB: 1, writes: 1, 'writes/min': 1, cores: 3, '': 2};

export const quantity = (value: number, unit: Unit): string =>
  `${Number(value.toFixed(digits[unit]))}${unit === '' ? '' : ` ${unit}`}`;

export const verdict = ({value, goal}: Figure): string => (goal === undefined ? '' : value <= goal ? 'met' : `missed`);

/** Rows of a section for people: what, measured, goal, verdict. */
export const rowsOf = ({figures}: Section): readonly (readonly string[])[] =>
  figures.map(figure => [
    figure.what,
    quantity(figure.value, figure.unit),
    figure.goal === undefined ? '' : `≤ ${quantity(figure.goal, figure.unit)}`,
    verdict(figure),
    [figure.note, verdict(figure) === 'missed' ? figure.why : undefined].filter(text => text !== undefined).join('; '),
  ]);

/** Columns of the same width; the last one runs free. */
export const table = (rows: readonly (readonly string[])[]): string[] => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  return rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
};
