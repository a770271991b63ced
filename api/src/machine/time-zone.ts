/** Seconds by which a time zone is ahead of UTC at a moment (milliseconds since the epoch); undefined if it is unknown. */
export const zoneOffsetSeconds = (timeZone: string, at: number): number | undefined => {
  let formatted: readonly Intl.DateTimeFormatPart[];
  try {
    formatted = new Intl.DateTimeFormat('en-US', {...fields, timeZone}).formatToParts(at);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const part = (type: Intl.DateTimeFormatPartTypes): number =>
    Number(formatted.find(one => one.type === type)?.value ?? 0);
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  // The parts are whole seconds, rounded down.
  return Math.ceil((local - at) / 1000);
};

const fields: Intl.DateTimeFormatOptions = {
  calendar: 'gregory',
  numberingSystem: 'latn',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
};
