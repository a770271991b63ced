export * from './condition-guide.ts';
export * from './conditions.ts';
export * from './end-guide.ts';
export * from './events.ts';
export * from './names.ts';
export * from './phases.ts';
export * from './reasons.ts';
export * from './status-guide.ts';
