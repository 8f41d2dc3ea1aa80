import { useState } from 'preact/hooks';
import { OfficeIcon } from '../icons';
import { t } from '../words';

/** Into the clipboard; where the browser does not allow it, nothing is said to have been copied. */
export function CopyButton({ text, label }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    navigator.clipboard?.writeText(text).then(() => setCopied(true), () => setCopied(false));
  };
  return (
    <span>
      <button type="button" class="button" onClick={copy}><OfficeIcon name={copied ? 'check' : 'copy'} small /><span>{copied ? t('do.copied') : label ?? t('do.copy')}</span></button>
      <span class="unseen" role="status">{copied ? t('do.copied') : ''}</span>
    </span>
  );
}
