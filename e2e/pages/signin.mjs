// Journeys from the client to the code: how people sign in.
import { strict as assert } from 'node:assert';
import { Client } from './client.mjs';
import { allow, byProvider, connect, consentPage, grantAccess, openNextcloud } from './person.mjs';

const everything = 'notes.read notes.write calendar.read calendar.write offline_access';
const maxConsent = 30 * 1024, maxPages = 3, maxClicks = 2;

// within fails a sign-in that asks more of people than promised.
function within(visitor, first = 0) {
  const pages = visitor.shown.length - first;
  assert.ok(pages <= maxPages, `${pages} pages of ours: ${visitor.shown.slice(first)}`);
  assert.ok(visitor.clicks <= maxClicks, `${visitor.clicks} clicks on our pages`);
  return `${pages} pages, ${visitor.clicks} clicks`;
}

export const signIns = {
  async 'oidc app, registered client'({ chrome, oidc, loopback, users: [alice] }) {
    const visitor = await chrome.visitor(), page = await visitor.tab();
    const client = await Client.register(oidc, 'Registered Client', loopback.redirect);
    await page.goto(client.begin(everything));
    await byProvider(page, alice);
    assert.match(await page.locator('main').innerText(), /not verified/);
    assert.match(await page.locator('main').innerText(), /Alice Example \(alice\)/);
    await visitor.look(page, 'consent-registered');
    await allow(visitor, page, client, loopback);
    await client.works();
    const cost = within(visitor);
    visitor.check();
    await visitor.close();
    return cost;
  },

  async 'oidc app, client with a document'({ chrome, oidc, loopback, users: [alice] }) {
    const visitor = await chrome.visitor(), page = await visitor.tab();
    const client = new Client(oidc, loopback.document, loopback.redirect);
    const question = page.waitForResponse(r => r.status() === 200 && /\/oauth\/connect\//.test(r.url()));
    await page.goto(client.begin(everything));
    await byProvider(page, alice);
    const size = (await (await question).body()).length;
    assert.ok(size <= maxConsent, `the consent page has ${size} bytes`);
    assert.match(await page.locator('main').innerText(), /described by 127\.0\.0\.1/);
    await visitor.look(page, 'consent-document');
    const answer = await allow(visitor, page, client, loopback);
    assert.ok(answer.refresh_token);
    await client.works();
    const cost = within(visitor);
    visitor.check();
    await visitor.close();
    return `${cost}, consent page ${size} bytes`;
  },

  async 'login flow, goes on by itself, step-up in one page'({ chrome, flow, loopback, users: [alice] }) {
    const visitor = await chrome.visitor(), page = await visitor.tab();
    const client = await Client.register(flow, 'Flow Client', loopback.redirect);
    await page.goto(client.begin('notes.read'));
    await visitor.look(page, 'waiting');
    await page.getByText('Sign in on a phone').click();
    await visitor.look(page, 'waiting-phone');
    await page.getByText('Sign in on a phone').click();
    await openNextcloud(visitor, page, alice);
    await consentPage(page); // nobody touched this tab
    await allow(visitor, page, client, loopback);
    await client.works();
    const cost = within(visitor);

    const before = await client.call('nc_notes_create_note', { title: 'Step-up', content: 'x', category: '' });
    assert.equal(before.status, 403, before.text);
    assert.match(before.challenge, /insufficient_scope/);
    const asked = before.challenge.match(/scope="([^"]*)"/)[1];
    const shown = visitor.shown.length;
    visitor.clicks = 0;
    await page.goto(client.begin(asked));
    await consentPage(page);
    await visitor.look(page, 'consent-again');
    await allow(visitor, page, client, loopback);
    assert.equal(visitor.clicks, 1);
    assert.equal(visitor.shown.length - shown, 2, 'the question and the way back');
    const after = await client.call('nc_notes_create_note', { title: 'Step-up', content: 'x', category: '' });
    assert.ok(after.result && !after.result.isError, after.text);
    await client.works(); // what it had, it kept
    visitor.check();
    await visitor.close();
    return cost;
  },

  async 'login flow without JavaScript'({ chrome, flow, loopback, users: [alice] }) {
    const visitor = await chrome.visitor({ javaScriptEnabled: false }), page = await visitor.tab();
    const client = await Client.register(flow, 'Scriptless Client', loopback.redirect);
    await page.goto(client.begin('notes.read'));
    await page.locator('noscript p').waitFor();
    await openNextcloud(visitor, page, alice);
    await consentPage(page); // by the refresh
    await allow(visitor, page, client, loopback);
    await client.works();
    visitor.check();
    await visitor.close();
  },

  async 'login flow on a phone, by the QR code'({ chrome, flow, loopback, users: [, bob] }) {
    const visitor = await chrome.visitor(), page = await visitor.tab();
    const client = await Client.register(flow, 'Desktop Client', loopback.redirect);
    await page.goto(client.begin('notes.read'));
    await page.getByText('Sign in on a phone').click();
    const link = await page.locator('details code').innerText();
    const code = await page.locator('details strong').innerText();

    const phone = await chrome.visitor({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2, locale: 'en-GB' });
    const hand = await phone.tab();
    await hand.goto(link);
    assert.ok((await hand.locator('main').innerText()).includes(code));
    await phone.look(hand, 'phone');
    await hand.getByRole('link', { name: /sign in at/ }).tap();
    await grantAccess(hand, bob);
    const cookies = (await phone.context.cookies()).map(c => c.name);
    assert.ok(!cookies.some(name => name.includes('ncmcp')), `the phone got ${cookies}`);
    const stranger = await hand.goto(page.url().replace(/\?.*/, ''));
    assert.equal(stranger.status(), 403);
    phone.check();
    await phone.close();

    await consentPage(page);
    assert.match(await page.locator('main').innerText(), /Bob Example/);
    await allow(visitor, page, client, loopback);
    await client.works();
    visitor.check();
    await visitor.close();
  },

  async 'hosted client on a phone, in German'({ chrome, flow, users: [alice] }) {
    const visitor = await chrome.visitor({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, locale: 'de-AT', colorScheme: 'dark' });
    const page = await visitor.tab();
    const redirect = 'https://assistant.example/api/callback';
    let back;
    const arrived = new Promise(done => { back = done; });
    await visitor.context.route('https://assistant.example/**', route => {
      back(new URL(route.request().url()));
      return route.fulfill({ contentType: 'text/html', body: '<!DOCTYPE html><title>Assistant</title>' });
    });
    const client = await Client.register(flow, 'Assistent', redirect);
    await page.goto(client.begin(everything));
    assert.equal(await page.locator('html').getAttribute('lang'), 'de');
    await visitor.look(page, 'german-waiting');
    const opened = visitor.context.waitForEvent('page');
    await page.locator('a[target=_blank]').first().tap();
    const tab = await opened;
    await grantAccess(tab, alice);
    await tab.close();
    await page.locator('button[value=allow]').waitFor();
    assert.match(await page.locator('h1').innerText(), /Assistent/);
    assert.match(await page.locator('main').innerText(), /assistant\.example/);
    await visitor.look(page, 'german-consent');
    await page.locator('button[value=allow]').tap();
    await client.redeem(await arrived);
    await client.works();
    visitor.check();
    await visitor.close();
  },

  async 'a program with its own scheme'({ chrome, flow, users: [alice] }) {
    const visitor = await chrome.visitor(), page = await visitor.tab();
    const redirect = 'cursor://anysphere.cursor-mcp/oauth/callback';
    const client = await Client.register(flow, 'Cursor', redirect);
    await page.goto(client.begin('notes.read'));
    await openNextcloud(visitor, page, alice);
    await consentPage(page);
    await visitor.look(page, 'consent-program');
    await visitor.press(page, 'button', 'Allow');
    // The browser may want a click before it starts a program, so the page stays.
    const link = page.getByRole('link', { name: 'Back to Cursor' });
    const to = await link.getAttribute('href');
    await visitor.look(page, 'leaving');
    assert.ok(to.startsWith(`${redirect}?`), to);
    await client.redeem(new URL(to));
    await client.works();
    visitor.check();
    await visitor.close();
  },

  async 'a second tab of the same browser'({ chrome, flow, loopback, users: [alice] }) {
    const visitor = await chrome.visitor(), one = await visitor.tab();
    const client = await Client.register(flow, 'Two Tabs', loopback.redirect);
    await one.goto(client.begin('notes.read'));
    const two = await visitor.tab();
    await two.goto(one.url());
    await openNextcloud(visitor, two, alice);
    await consentPage(two);
    await one.bringToFront();
    await consentPage(one); // it went on as well
    await allow(visitor, one, client, loopback);
    await client.works();
    await two.bringToFront();
    const [late] = await Promise.all([
      two.waitForResponse(r => /\/consent$/.test(r.url())),
      two.getByRole('button', { name: 'Allow' }).click(),
    ]);
    assert.equal(late.status(), 409);
    await visitor.look(two, 'failure-answered');
    visitor.check();
    await visitor.close();
  },

  async "somebody else's browser is refused"({ chrome, flow, loopback, users: [alice, bob] }) {
    const visitor = await chrome.visitor(), page = await visitor.tab();
    const client = await Client.register(flow, 'Secret Name', loopback.redirect);
    await page.goto(client.begin('notes.read'));
    const address = page.url().replace(/\?.*/, '');
    const other = await chrome.visitor(), theirs = await other.tab();
    const own = await Client.register(flow, 'Other Client', loopback.redirect);
    const refused = async () => {
      for (const path of ['', '/open', '/status', '/oidc']) {
        const r = await theirs.goto(address + path);
        assert.equal(r.status(), 403, path);
        assert.doesNotMatch(await r.text(), /Secret Name|alice/i);
      }
    };
    await refused(); // without a cookie
    await theirs.goto(address);
    await other.look(theirs, 'failure-other-browser');
    await connect(other, theirs, own, 'notes.read', bob, loopback);
    await refused(); // signed in as somebody else
    await openNextcloud(visitor, page, alice);
    await consentPage(page);
    await refused(); // while the question is open
    await page.getByRole('button', { name: 'Deny' }).click();
    for (const one of [visitor, other]) { one.check(); await one.close(); }
  },
};
