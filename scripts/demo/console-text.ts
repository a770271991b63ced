/** An escape sequence: a control sequence (CSI), an operating system command (OSC) or a single-character one. */
// oxlint-disable-next-line no-control-regex -- escape sequences are control characters
const escapes = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_78=>])/g;

/**
 * A guest's console output for a terminal that is not the guest's: colours stay, everything else that steers a terminal
 * goes. A guest asks for the cursor's place, and the answer would be typed into the reader's shell.
 */
export const withoutQueries = (text: string): string =>
  text.replaceAll(escapes, sequence => (sequence.startsWith('\x1b[') && sequence.endsWith('m') ? sequence : ''));
