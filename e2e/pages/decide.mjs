// Journeys of people who do not just say yes: deny, narrow, change their mind,
// end.
import { strict as assert } from 'node:assert';
import { Client } from './client.mjs';
import { allow, byProvider, connect, consentPage, logIn, openNextcloud } from './person.mjs';

const everything = 'notes.read notes.write calendar.read calendar.write';
const event = { title: 'Moon landing', start: '2030-07-20T10:00:00Z', end: '2030-07-20T11:00:00Z' };

export const decisions = {
  async 'deny'({ chrome, oidc, flow, loopback, users: [alice] }) {
    for (const [server, where] of [[oidc, 'consent'], [flow, 'waiting']]) {
      const visitor = await chrome.visitor(), page = await visitor.tab();
      const client = await Client.register(server, 'Unwanted', loopback.redirect);
      await page.goto(client.begin(everything));
      if (where === 'consent') await byProvider(page, alice);
      const back = loopback.arrived(client.state);
      await visitor.press(page, 'button', where === 'consent' ? 'Deny' : 'Cancel');
      const at = await back;
      assert.equal(at.searchParams.get('error'), 'access_denied');
      assert.equal(at.searchParams.get('code'), null);
      visitor.check();
      await visitor.close();
    }
  },

  async 'narrow on the consent page, with the keyboard alone'({ chrome, flow, loopback, users: [alice] }) {
    const visitor = await chrome.visitor(), page = await visitor.tab();
    const client = await Client.register(flow, 'Narrowed', loopback.redirect);
    await page.goto(client.begin(everything));
    await openNextcloud(visitor, page, alice);
    await consentPage(page);
    const focused = () => page.evaluate(() => {
      const e = document.activeElement, ring = getComputedStyle(e);
      return { value: e.value ?? '', name: e.name ?? '', ring: ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2 };
    });
    assert.equal((await focused()).name, '', 'nothing has the focus at first');
    const tabTo = async value => {
      for (let i = 0; i < 30; i++) {
        await page.keyboard.press('Tab');
        const at = await focused();
        assert.ok(at.ring, `no focus ring at ${at.name} ${at.value}`);
        if (at.value === value) return;
        assert.notEqual(at.value, 'allow', `${value} comes after the button`);
      }
      throw new Error(`the keyboard does not reach ${value}`);
    };
    await tabTo('calendar.write');
    await page.keyboard.press('Space');
    assert.equal(await page.locator('input[value="calendar.write"]').isChecked(), false);
    await visitor.look(page, 'consent-narrowed');
    await tabTo('allow');
    const back = loopback.arrived(client.state);
    await page.keyboard.press('Enter');
    await client.redeem(await back);
    await client.works();
    assert.ok((await client.tools()).includes('nc_notes_create_note'));
    assert.ok(!(await client.tools()).includes('nc_calendar_create_event'), 'the list shows what was refused');
    const refused = await client.call('nc_calendar_create_event', event);
    assert.ok(refused.status === 403 || refused.result?.isError, `the refused tool works: ${refused.text}`);
    visitor.check();
    await visitor.close();
  },

  async 'Enter in the form never allows, nothing ticked is no answer'({ chrome, flow, loopback, users: [alice] }) {
    const visitor = await chrome.visitor(), page = await visitor.tab();
    const client = await Client.register(flow, 'Enter', loopback.redirect);
    await page.goto(client.begin(everything));
    await openNextcloud(visitor, page, alice);
    await consentPage(page);
    for (const box of await page.locator('input[name=scope]').all()) await box.uncheck();
    await visitor.press(page, 'button', 'Allow');
    await page.getByRole('alert').waitFor();
    await visitor.look(page, 'consent-nothing');
    await page.locator('input[name=scope]').first().check();
    const back = loopback.arrived(client.state);
    await page.locator('input[name=scope]').first().press('Enter');
    assert.equal((await back).searchParams.get('error'), 'access_denied');
    visitor.check();
    await visitor.close();
  },

  async 'not you?'({ chrome, oidc, loopback, users: [alice, bob] }) {
    const visitor = await chrome.visitor(), page = await visitor.tab();
    const client = await Client.register(oidc, 'Shared Computer', loopback.redirect);
    await page.goto(client.begin('notes.read'));
    await byProvider(page, alice);
    // Nextcloud keeps its own session, so the person signs out there.
    await page.context().clearCookies({ name: /^ocsimulated/ });
    await page.getByRole('button', { name: 'Not you?' }).click();
    await logIn(page, bob);
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await consentPage(page);
    assert.match(await page.locator('main').innerText(), /Bob Example/);
    await allow(visitor, page, client, loopback);
    await client.works();
    visitor.check();
    await visitor.close();
  },

  async 'account: pause, resume, narrow, end'({ chrome, flow, loopback, users: [, bob] }) {
    const visitor = await chrome.visitor(), page = await visitor.tab();
    const client = await Client.register(flow, 'Kept Client', loopback.redirect);
    await connect(visitor, page, client, everything, bob, loopback);
    await client.works();
    await page.goto(`${flow}/account`);
    const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Kept Client' }) });

    await card.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('status').first().waitFor();
    await card.getByText('Paused').waitFor();
    await visitor.look(page, 'account-paused');
    const paused = await client.call('nc_notes_search_notes', { query: '' });
    assert.ok(paused.status !== 200 || paused.result?.isError, `a paused connection works: ${paused.text}`);
    await card.getByRole('button', { name: 'Resume' }).click();
    await card.getByRole('button', { name: 'Pause' }).waitFor();
    await client.works();

    await card.getByRole('link', { name: 'Change' }).click();
    await visitor.look(page, 'change');
    await page.locator('input[value="notes.write"]').uncheck();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('status').first().waitFor();
    assert.ok(!(await client.tools()).includes('nc_notes_create_note'), 'the list shows what was taken away');
    const refused = await client.call('nc_notes_create_note', { title: 'x', content: 'x', category: '' });
    assert.ok(refused.status === 403 || refused.result?.isError, `the narrowed connection writes: ${refused.text}`);
    await client.works();

    await page.reload();
    await page.getByRole('table').getByText('nc_notes_search_notes').first().waitFor();
    await card.getByRole('button', { name: 'End' }).click();
    await page.getByRole('status').first().waitFor();
    assert.equal(await card.count(), 0);
    assert.equal((await client.call('nc_notes_search_notes', { query: '' })).status, 401);
    await visitor.look(page, 'account-empty');
    visitor.check();
    await visitor.close();
  },

  async 'account: sign in, end all, sign out'({ chrome, flow, loopback, users: [, , carol] }) {
    const visitor = await chrome.visitor(), page = await visitor.tab();
    const clients = [];
    for (const name of ['First', 'Second']) {
      const client = await Client.register(flow, name, loopback.redirect);
      await connect(visitor, page, client, 'notes.read', carol, loopback);
      clients.push(client);
    }
    // In another browser, with no client to come from.
    const later = await chrome.visitor(), home = await later.tab();
    await home.goto(`${flow}/account`);
    await later.look(home, 'account-sign-in');
    await openNextcloud(later, home, carol);
    await home.getByRole('heading', { level: 1, name: 'Your connections', exact: true }).waitFor();
    await later.look(home, 'account');
    await home.getByText('End all connections').first().click();
    await home.getByRole('button', { name: 'End all connections' }).click();
    await home.getByRole('status').first().waitFor();
    for (const client of clients) assert.equal((await client.call('nc_notes_search_notes', { query: '' })).status, 401);
    await home.getByRole('button', { name: 'Sign out' }).click();
    await home.getByRole('heading', { level: 1, name: 'Signed out' }).waitFor();
    await later.look(home, 'signed-out');
    await home.goto(`${flow}/account`);
    await home.getByRole('link', { name: /^Open / }).waitFor();
    for (const one of [visitor, later]) { one.check(); await one.close(); }
  },
};
