import { useEffect, useState } from 'preact/hooks';

const WIDE = '(min-width: 64rem)';

/** Whether there is room for two columns: what is not shown is not drawn either. */
export function useWide(): boolean {
  const [wide, setWide] = useState(() => matchMedia(WIDE).matches);
  useEffect(() => {
    const query = matchMedia(WIDE);
    const read = () => setWide(query.matches);
    query.addEventListener('change', read);
    return () => query.removeEventListener('change', read);
  }, []);
  return wide;
}
