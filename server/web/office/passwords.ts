// What the server asks of a password, as far as a page can tell before it is sent.

const MIN_CHARS = 12;

export function isShort(password: string): boolean {
  return Array.from(password).length < MIN_CHARS;
}
