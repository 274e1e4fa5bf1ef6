// An MCP client of a person: it registers, sends the browser away, waits for the
// code on loopback, and calls tools.
import crypto from 'node:crypto';
import http from 'node:http';

// Loopback is where clients wait for their codes. It also serves the metadata
// document of one, so that its client id is an address here.
export class Loopback {
  #waiting = new Map();
  static async listen() {
    const l = new Loopback();
    l.server = http.createServer((q, r) => l.#serve(q, r));
    await new Promise(done => l.server.listen(0, '127.0.0.1', done));
    l.origin = `http://127.0.0.1:${l.server.address().port}`;
    l.redirect = `${l.origin}/callback`;
    l.document = `${l.origin}/client.json`;
    return l;
  }
  close() { this.server.closeAllConnections(); this.server.close(); }

  // arrived is the address with which a browser comes back, by its state.
  arrived(state) {
    return new Promise((done, fail) => {
      const late = setTimeout(() => fail(new Error('the browser does not come back to the client')), 20000);
      this.#waiting.set(state, address => { clearTimeout(late); done(address); });
    });
  }
  #serve(q, r) {
    const at = new URL(q.url, this.origin);
    if (at.pathname === '/client.json') {
      r.setHeader('Content-Type', 'application/json');
      r.end(JSON.stringify({
        client_id: this.document, client_name: 'Document Client', client_uri: this.origin, redirect_uris: [this.redirect],
        grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none', application_type: 'native',
      }));
      return;
    }
    r.setHeader('Content-Type', 'text/html');
    r.end('<!DOCTYPE html><title>Client</title><p>The client has its answer.');
    this.#waiting.get(at.searchParams.get('state'))?.(at);
  }
}

export class Client {
  constructor(server, id, redirect) { Object.assign(this, { server, id, redirect }); }

  static async register(server, name, redirect) {
    const r = await fetch(`${server}/oauth/register`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ client_name: name, redirect_uris: [redirect], token_endpoint_auth_method: 'none', application_type: redirect.startsWith('https:') ? 'web' : 'native' }),
    });
    const answer = await r.json();
    if (r.status !== 201) throw new Error(`registration: ${r.status} ${JSON.stringify(answer)}`);
    return new Client(server, answer.client_id, redirect);
  }

  // begin is a new authorization request.
  begin(scope) {
    this.state = crypto.randomBytes(16).toString('hex');
    this.verifier = crypto.randomBytes(32).toString('base64url');
    const q = new URLSearchParams({
      response_type: 'code', client_id: this.id, redirect_uri: this.redirect, state: this.state, scope, resource: `${this.server}/mcp`,
      code_challenge: crypto.createHash('sha256').update(this.verifier).digest('base64url'), code_challenge_method: 'S256',
    });
    return `${this.server}/oauth/authorize?${q}`;
  }

  // redeem takes the address that the browser came back with.
  async redeem(at) {
    const q = at.searchParams;
    if (q.get('state') !== this.state || q.get('iss') !== this.server) throw new Error(`the answer is ${at}`);
    const r = await fetch(`${this.server}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'authorization_code', code: q.get('code'), redirect_uri: this.redirect, client_id: this.id, code_verifier: this.verifier }),
    });
    const answer = await r.json();
    if (r.status !== 200) throw new Error(`token: ${r.status} ${JSON.stringify(answer)}`);
    this.token = answer.access_token;
    return answer;
  }

  // ask sends one MCP request and answers the status of HTTP beside the result.
  async ask(method, params = {}) {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'journey', version: '1' },
    };
    const r = await fetch(`${this.server}/mcp`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', Authorization: `Bearer ${this.token}`,
        'Mcp-Protocol-Version': '2026-07-28', 'Mcp-Method': method, ...(params.name ? { 'Mcp-Name': params.name } : {}),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
    });
    const text = await r.text();
    const json = /^text\/event-stream/.test(r.headers.get('content-type') ?? '') ? text.replace(/^[\s\S]*?data: /, '').split('\n')[0] : text;
    let body = {};
    try { body = JSON.parse(json); } catch { /* not every refusal has a body */ }
    return { status: r.status, challenge: r.headers.get('www-authenticate') ?? '', result: body.result, error: body.error, text };
  }
  async tools() { return ((await this.ask('tools/list')).result?.tools ?? []).map(t => t.name); }
  call(name, args = {}) { return this.ask('tools/call', { name, arguments: args }); }

  // works fails unless the client may search notes.
  async works() {
    const a = await this.call('nc_notes_search_notes', { query: '' });
    if (a.status !== 200 || !a.result || a.result.isError) throw new Error(`the tool does not work: ${a.status} ${a.text}`);
  }
}
