/** Control characters, invisible ones that change the order or the joining of others, and halves of characters. */
const STRANGE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * A guest may have chosen the text, and people read it in terminals. Half of a character would also come back from the API as
 * another one, so that each look at it found a change to write.
 */
export const plainText = (text: string): string => text.replaceAll(STRANGE, '\ufffd');

export const isPlainText = (text: string): boolean => plainText(text) === text;
