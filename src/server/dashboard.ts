import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export type Dashboard = { readonly html: string; readonly policy: string };

/** The one page, self-contained. Its policy lets it run its own script, by hash, and ask its own server; nothing else. */
export function loadDashboard(): Dashboard {
  const html = readFileSync(new URL('./dashboard.html', import.meta.url), 'utf8');
  const [style, script] = [inside(html, 'style'), inside(html, 'script')].map(
    (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
  const policy = `default-src 'none'; script-src ${script}; style-src ${style}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  return { html, policy };
}

function inside(html: string, tag: 'style' | 'script'): string {
  return new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html)?.[1] ?? '';
}
