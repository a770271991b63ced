/**
 * Ends with 0 when node_modules holds the very packages of package-lock.json. Compares npm's own record of what it
 * installed, so a lockfile that changes for another platform only, or not at all, costs nothing. For any Node.js ≥ 14.
 */
const {readFileSync} = require('node:fs');

function packages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return {};
  }
}

const wanted = Object.entries(packages('package-lock.json')).filter(([path]) => path.includes('node_modules/'));
const installed = packages('node_modules/.package-lock.json');

// What is optional may be for another platform, and is then rightly absent.
const missing = wanted.filter(([path, {version, link, optional}]) => {
  const found = installed[path];
  return found ? found.version !== version || found.link !== link : !optional;
});
process.exitCode = wanted.length > 0 && missing.length === 0 ? 0 : 1;
