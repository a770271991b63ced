export * from './conditions.ts';
export * from './names.ts';
export * from './phases.ts';
