// Chromium as people use it, under a watch that never looks away: whatever a
// page of ours asks another host for, writes to the console or breaks of the
// rules of accessibility is a failure of the journey that met it.
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import axe from 'axe-core';

const wide = { width: 1100, height: 800 }, narrow = { width: 360, height: 740 };
const notOurs = ['minor', 'moderate']; // findings of axe that are printed and pass

export class Chromium {
  // ours are the origins whose pages are under test.
  static async launch(ours, pictures) {
    const chrome = new Chromium();
    chrome.ours = new Set(ours);
    chrome.pictures = pictures;
    chrome.seen = new Set();
    chrome.sizes = {};
    fs.mkdirSync(pictures, { recursive: true });
    chrome.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-quic', '--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
    });
    return chrome;
  }
  close() { return this.browser.close(); }

  // visitor is one person's browser: its own cookies, its own language.
  async visitor(options = {}) {
    const context = await this.browser.newContext({ viewport: wide, locale: 'en-GB', colorScheme: 'light', ...options });
    return new Visitor(this, context, options);
  }
}

export class Visitor {
  problems = []; // what the watch saw
  shown = []; // the addresses of our pages, in the order of being shown
  answered = new Set(); // all addresses of ours that a tab was led to
  clicks = 0; // on our pages

  constructor(chrome, context, options) {
    Object.assign(this, { chrome, context, options });
    context.setDefaultTimeout(15000);
    context.on('request', r => this.#request(r));
    context.on('response', r => this.#response(r));
    context.on('console', m => this.#console(m));
    context.on('weberror', e => this.problems.push(`error in the page: ${e.error().message}`));
    context.on('dialog', d => { this.problems.push(`dialog: ${d.message()}`); d.dismiss(); });
  }

  tab() { return this.context.newPage(); }
  async close() { await this.context.close(); }

  isOurs(address) {
    try { return this.chrome.ours.has(new URL(address).origin); } catch { return false; }
  }

  #request(r) {
    let frame;
    try { frame = r.frame(); } catch { return; } // of a page that is gone
    if (r.isNavigationRequest() && !frame.parentFrame()) return;
    if (!this.isOurs(frame.url())) return;
    if (new URL(r.url()).origin !== new URL(frame.url()).origin) this.problems.push(`${frame.url()} asks for ${r.url()}`);
    if (r.resourceType() !== 'fetch') this.problems.push(`${frame.url()} loads ${r.resourceType()} ${r.url()}`);
  }
  #response(r) {
    const q = r.request();
    if (!q.isNavigationRequest() || !this.isOurs(r.url())) return;
    this.answered.add(r.url());
    if (!/^text\/html/.test(r.headers()['content-type'] ?? '')) return;
    this.shown.push(r.url());
    for (const [name, want] of Object.entries({ 'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff' })) {
      if (r.headers()[name] !== want) this.problems.push(`${r.url()}: ${name} is ${r.headers()[name]}`);
    }
    if (!/default-src 'none'.*frame-ancestors 'none'/.test(r.headers()['content-security-policy'] ?? '')) this.problems.push(`${r.url()}: no strict policy`);
  }
  #console(m) {
    if (m.type() !== 'error' && m.type() !== 'warning') return;
    const at = m.location().url || m.page()?.url() || '';
    if (!this.isOurs(at) && !this.isOurs(m.page()?.url() ?? '')) return;
    // A page with the status of an error is reported by the browser as well.
    if (/^Failed to load resource: the server responded with a status of 4\d\d/.test(m.text()) && this.answered.has(at)) return;
    // A program's own scheme has no program behind it here.
    if (/^Failed to launch '[a-z-]+:/.test(m.text())) return;
    this.problems.push(`console of ${at}: ${m.text()}`);
  }

  // press clicks and counts what a person has to do on our pages.
  async press(page, role, name) {
    if (this.isOurs(page.url())) this.clicks++;
    await page.getByRole(role, { name }).click();
  }

  // look judges the page that is shown: with axe in light and dark, and whether
  // it fits a phone. Each name is looked at once.
  async look(page, name) {
    if (this.chrome.seen.has(name)) return;
    this.chrome.seen.add(name);
    const picture = look => page.screenshot({ path: path.join(this.chrome.pictures, `${name}-${look}.png`), fullPage: true });
    const mobile = !!this.options.isMobile;
    await this.#axe(page, name);
    await picture(mobile ? 'mobile' : 'light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await this.#axe(page, `${name} (dark)`, { runOnly: ['color-contrast', 'link-in-text-block'] });
    if (!mobile) {
      await page.setViewportSize(narrow);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > narrow.width) this.problems.push(`${name}: ${width} px wide on a screen of ${narrow.width}`);
    }
    await picture('dark-narrow');
    await page.emulateMedia({ colorScheme: 'light' });
    if (!mobile) await page.setViewportSize(wide);
  }

  async #axe(page, name, options = {}) {
    if (this.options.javaScriptEnabled === false) return; // it is a script
    await page.evaluate(`if (!window.axe) { ${axe.source} }`);
    const found = await page.evaluate(o => window.axe.run(document, { resultTypes: ['violations'], ...o }), options);
    for (const v of found.violations) {
      const line = `axe, ${name}: ${v.impact} ${v.id}: ${v.help} (${v.nodes.map(n => n.target.join(' ')).join(', ')})`;
      console.log(line);
      if (!notOurs.includes(v.impact)) this.problems.push(line);
    }
  }

  // check fails the journey for what the watch saw.
  check() {
    if (this.problems.length > 0) throw new Error(this.problems.join('\n'));
  }
}
