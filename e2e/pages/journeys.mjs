// Whole journeys of people through the pages, in a real browser against the
// built program. Takes the directory for the pictures; the addresses come in
// OIDC_URL (people sign in at the oidc app), FLOW_URL (by Login Flow v2),
// LINK_URL (a client's token is of no use at Nextcloud) and DEMO (the line that
// the demo prints). ONLY is a pattern of names.
import fs from 'node:fs';
import path from 'node:path';
import { Chromium } from './browser.mjs';
import { Loopback } from './client.mjs';
import { decisions } from './decide.mjs';
import { links } from './link.mjs';
import { plain } from './plain.mjs';
import { signIns } from './signin.mjs';

const together = 3; // journeys at a time: a person waits most of the time
const patience = 60_000; // milliseconds for one journey

const pictures = process.argv[2];
const { OIDC_URL: oidc, FLOW_URL: flow, LINK_URL: link, DEMO, ONLY } = process.env;
const { users } = JSON.parse(fs.readFileSync(DEMO, 'utf8'));
const only = new RegExp(ONLY ?? '');
const loopback = await Loopback.listen();
const chrome = await Chromium.launch([oidc, flow, link], pictures);
const waiting = Object.entries({ ...plain, ...signIns, ...links, ...decisions }).filter(([name]) => only.test(name));
const began = performance.now(), total = waiting.length;
let failed = 0;

// run goes through one journey; when it fails, its open pages are kept.
async function run(name, journey) {
  const own = [], start = performance.now();
  const kit = { oidc, flow, link, loopback, users, chrome: { visitor: async o => { const v = await chrome.visitor(o); own.push(v); return v; } } };
  let late;
  const limit = new Promise((_, no) => { late = setTimeout(() => no(new Error('takes too long')), patience); });
  try {
    const said = await Promise.race([journey(kit), limit]);
    console.log(`ok    ${name}${said ? ` (${said})` : ''}, ${Math.round(performance.now() - start)} ms`);
  } catch (e) {
    failed++;
    console.log(`FAIL  ${name}\n${e?.stack ?? e}\n${own.flatMap(v => v.problems).join('\n')}`);
    const open = own.flatMap(v => v.context.pages());
    for (const [i, page] of open.entries()) {
      console.log(`      open: ${page.url()}`);
      await page.screenshot({ path: path.join(pictures, `FAILED-${name.replace(/\W+/g, '-')}-${i}.png`), fullPage: true }).catch(() => {});
    }
    for (const v of own) await v.close().catch(() => {});
  } finally {
    clearTimeout(late);
  }
}

await Promise.all(Array.from({ length: together }, async () => {
  for (let next = waiting.shift(); next; next = waiting.shift()) await run(...next);
}));
await chrome.close();
loopback.close();
console.log(`${total - failed} of ${total} journeys passed, ${Math.round(performance.now() - began)} ms, pictures in ${pictures}`);
process.exit(failed === 0 ? 0 : 1);
