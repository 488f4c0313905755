export * from './field.ts'
export * from './fold.ts'
export * from './position.ts'
export * from './signals.ts'
