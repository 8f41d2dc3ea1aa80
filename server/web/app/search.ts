// Finding a person by name, number, or the initials of the name's pinyin. The table of initials is loaded
// when somebody first searches.

let initials: typeof import('./generated/initials') | null = null;

const FIRST = 0x4e00;

export async function loadInitials(): Promise<void> {
  initials ??= await import('./generated/initials');
}

function letterOf(character: string): string {
  const at = character.charCodeAt(0) - FIRST;
  const letter = initials?.table[at];
  if (letter !== undefined && letter !== '-') return letter;
  return /[a-z0-9]/i.test(character) ? character.toLowerCase() : '';
}

/** "陈伟" → ["cw"]; a surname that is read differently gives both: "单立" → ["dl", "sl"]. */
export function initialsOf(name: string): string[] {
  if (initials === null) return [];
  const letters = Array.from(name, letterOf);
  const usual = letters.join('');
  const surname = initials.surnames[name[0] ?? ''];
  return surname === undefined ? [usual] : [usual, surname + letters.slice(1).join('')];
}

export interface Searchable {
  name: string;
  number: string;
  /** Filled on the first search. */
  initials?: string[];
}

export function matches(person: Searchable, query: string): boolean {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return true;
  if (person.name.toLowerCase().includes(wanted) || person.number.toLowerCase().includes(wanted)) return true;
  if (initials === null || !/^[a-z0-9]+$/.test(wanted)) return false;
  person.initials ??= initialsOf(person.name);
  return person.initials.some((letters) => letters.includes(wanted));
}
