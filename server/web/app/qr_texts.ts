// What stands in the QR codes of Waystation (docs/protocol.md).

export interface EnrollCode {
  code: string;
  /** Where the code is good, when the text says so. */
  server: string | null;
}

/** "waystation:enroll?code=…&server=…", or a code as people type it; null for anything else. */
export function parseEnroll(text: string): EnrollCode | null {
  const trimmed = text.trim();
  if (trimmed.startsWith('waystation:enroll?')) {
    const query = new URLSearchParams(trimmed.slice(trimmed.indexOf('?')));
    const code = query.get('code');
    const server = query.get('server');
    if (code === null || code === '') return null;
    return { code, server: server !== null && /^https?:\/\//.test(server) ? server : null };
  }
  const plain = plainCode(trimmed);
  return plain.length === 10 ? { code: plain, server: null } : null;
}

/** Case, spaces and hyphens do not matter. */
export function plainCode(text: string): string {
  return text.toUpperCase().replace(/[^0-9A-Z]/g, '');
}

export function personText(id: string): string {
  return `waystation:person?id=${encodeURIComponent(id)}`;
}

export function parsePerson(text: string): string | null {
  const trimmed = text.trim();
  if (!trimmed.startsWith('waystation:person?')) return null;
  const id = new URLSearchParams(trimmed.slice(trimmed.indexOf('?'))).get('id');
  return id !== null && /^[A-Za-z0-9._:-]{1,63}$/.test(id) ? id : null;
}
