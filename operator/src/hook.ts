/**
 * The hooks of the chart, which run in the operator's image: `node hook.js uninstall-check`, `uninstall-release` or
 * `test-guest`. What they say is for the person at helm.
 */
import {Client, KubeError, loadKubeConfig, systemClock} from '@wherry/kube';
import {Registry} from 'prom-client';
import {SettingsError} from './errors.ts';
import {HookError} from './hook/errors.ts';
import {hookSettings} from './hook/settings.ts';
import {testGuest} from './hook/test-guest.ts';
import {letGo, refuseWhileUsed} from './hook/uninstall.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const run = async (signal: AbortSignal): Promise<void> => {
  const settings = hookSettings(process.argv.slice(2), process.env);
  const client = new Client({
    kubeConfig: await loadKubeConfig(),
    userAgent: 'wherry-hook',
    registry: new Registry(),
  });
  const shared = {client, clock: systemClock, say};
  try {
    switch (settings.hook) {
      case 'uninstall-check':
        return await refuseWhileUsed({...shared, ...settings});
      case 'uninstall-release':
        return await letGo({...shared, ...settings}, signal);
      case 'test-guest':
        return await testGuest({...shared, ...settings}, signal);
    }
  } finally {
    await client.close();
  }
};

// The clock's timers keep no process alive, and a hook has nothing else while it waits.
const alive = setInterval(() => undefined, 60_000);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort(new HookError('the hook was ended before it was done')));
try {
  await run(stop.signal);
} catch (error) {
  const isPlain = [HookError, SettingsError, KubeError].some(kind => error instanceof kind);
  say(isPlain ? (error as Error).message : ((error as Error).stack ?? String(error)));
  process.exitCode = 1;
}
clearInterval(alive);
