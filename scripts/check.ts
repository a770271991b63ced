/** `npm run check`: types, lint, format, generated files. */
import {checkSuite} from './suites/checks.ts';

const {failed} = await checkSuite.run();
if (failed.length > 0) process.exitCode = 1;
