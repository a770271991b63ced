/** The operator as a library: what its process and its tests put together. */
export {letGo, refuseWhileUsed, type UninstallOptions} from './hook/uninstall.ts';
export type {Instance, Machine} from './objects.ts';
export {makeOperator, type OperatorOptions} from './operator.ts';
export {instances, machines} from './resources.ts';
export {renderPod} from './pod/render.ts';
export {readSettings, type Settings} from './settings.ts';
