import { Button } from './button';
import { currentLang, setLang } from './i18n';

/** Always named in the language that it leads to. */
export function LanguageSwitch() {
  const chinese = currentLang() === 'zh';
  return (
    <span lang={chinese ? 'en' : 'zh-CN'}>
      <Button kind="bare" icon="language" onClick={() => setLang(chinese ? 'en' : 'zh')}>
        {chinese ? 'English' : '中文'}
      </Button>
    </span>
  );
}
