// A browser without a screen or script, for clients whose sign-in nobody
// watches: it keeps cookies, follows redirects and refreshes, fills in forms and
// opens what a waiting page wants opened in another tab.
const unescape = s => s.replace(/&#(\d+);/g, (_, n) => String.fromCodePoint(n)).replace(/&quot;/g, '"').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
const attribute = (tag, name) => {
  const m = tag.match(new RegExp(`\\s${name}\\s*=\\s*("([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i'));
  return m ? unescape(m[2] ?? m[3] ?? m[4] ?? '') : undefined;
};
const text = html => unescape(html.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim();
const maxSteps = 40;

export class FormBrowser {
  cookies = new Map();
  // fields are what to fill in, by name; submit matches the name, value or words
  // of the button to press.
  constructor({ fields = {}, submit = /authori[sz]e|allow|grant|accept|log ?in|sign ?in|continue/i, headers = {}, fetch = globalThis.fetch } = {}) {
    Object.assign(this, { fields, submit, headers, fetch });
  }

  // walk goes on from url until it is sent to an address that begins with until,
  // which it answers without opening it. Without until it answers undefined where
  // nothing leads on.
  async walk(url, until) {
    let next = { url: String(url) };
    const opened = new Set();
    for (let i = 0; i < maxSteps; i++) {
      if (until && next.url.startsWith(until)) return next.url;
      const { at, status, location, html } = await this.#load(next);
      if (location) { next = { url: location }; continue; }
      if (status >= 400) throw new Error(`browser: ${status} at ${at}: ${text(html).slice(0, 300)}`);
      const tab = (html.match(/<a\b[^>]*target=["']?_blank[^>]*>/gi) ?? [])[0];
      const refresh = html.match(/<meta\b[^>]*http-equiv=["']?refresh["']?[^>]*>/i)?.[0];
      if (refresh) {
        const link = tab && new URL(attribute(tab, 'href'), at).href;
        if (link && !opened.has(link)) { opened.add(link); await this.walk(link); }
        else if (link) await new Promise(done => setTimeout(done, 500));
        next = { url: new URL(attribute(refresh, 'content').replace(/^[^=]*=/, ''), at).href };
        continue;
      }
      next = this.#fill(html, at);
      if (!next && until) throw new Error(`browser: nothing leads on from ${at}: ${text(html).slice(0, 300)}`);
      if (!next) return undefined;
    }
    throw new Error('browser: too many steps');
  }

  async #load({ url, body }) {
    const { host, origin } = new URL(url);
    const cookie = [...this.cookies].filter(([k]) => k.startsWith(`${host}|`)).map(([k, v]) => `${k.slice(host.length + 1)}=${v}`).join('; ');
    const r = await this.fetch(url, {
      method: body === undefined ? 'GET' : 'POST', body, redirect: 'manual',
      headers: { ...this.headers, accept: 'text/html', cookie, ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded', origin }) },
    });
    for (const line of r.headers.getSetCookie()) {
      const [pair] = line.split(';'), i = pair.indexOf('=');
      this.cookies.set(`${host}|${pair.slice(0, i).trim()}`, pair.slice(i + 1));
    }
    const location = r.status >= 300 && r.status < 400 && r.headers.get('location');
    return { at: url, status: r.status, location: location ? new URL(location, url).href : undefined, html: await r.text() };
  }

  // fill is the request that the form with the wanted button makes.
  #fill(html, at) {
    for (const form of html.match(/<form\b[\s\S]*?<\/form>/gi) ?? []) {
      const pressed = this.#button(form);
      if (!pressed) continue;
      const values = new URLSearchParams();
      for (const tag of form.match(/<(input|textarea)\b[^>]*>/gi) ?? []) {
        const name = attribute(tag, 'name'), type = attribute(tag, 'type') ?? 'text';
        if (!name || type === 'submit' || /\sdisabled\b/i.test(tag)) continue;
        if ((type === 'checkbox' || type === 'radio') && !/\schecked\b/i.test(tag)) continue;
        values.append(name, this.fields[name] ?? attribute(tag, 'value') ?? '');
      }
      const name = attribute(pressed, 'name');
      if (name) values.append(name, attribute(pressed, 'value') ?? '');
      const head = form.match(/<form\b[^>]*>/i)[0];
      const action = new URL(attribute(pressed, 'formaction') ?? (attribute(head, 'action') || at), at);
      if ((attribute(head, 'method') ?? 'get').toLowerCase() === 'post') return { url: action.href, body: values.toString() };
      action.search = values.toString();
      return { url: action.href };
    }
    return undefined;
  }
  #button(form) {
    for (const [, whole, words = ''] of form.matchAll(/(<button\b[^>]*>|<input\b[^>]*type=["']?submit[^>]*>)([\s\S]*?<\/button>)?/gi)) {
      if (this.submit.test(`${attribute(whole, 'name') ?? ''} ${attribute(whole, 'value') ?? ''} ${text(words)}`)) return whole;
    }
    return undefined;
  }
}
