/** `@wherry/native`: host facilities that Node.js lacks, from the library `libwherry.so` through koffi. */

export {isNativeError, NativeError, type NativeErrorCode, NativeErrorNumber} from './errors.ts';
export * from './host.ts';
export {libraryPath, loadHost} from './load.ts';
