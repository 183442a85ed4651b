// SPDX-License-Identifier: Apache-2.0
// Run by clients_test.py in an npm project that holds `openai`: the same calls as client_py.py.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
const [, , base, project, mode] = process.argv;
const require = createRequire(project + '/package.json');
const { default: OpenAI } = await import(pathToFileURL(require.resolve('openai')).href).then((m) => (m.default?.OpenAI ? { default: m.default.OpenAI } : m));
const version = require(project + '/node_modules/openai/package.json').version;
const c = new OpenAI({ baseURL: base, apiKey: 'sk-x', maxRetries: 0 });
const messages = [{ role: 'user', content: 'Zürich \u{1f3d4}?' }];
const tools = [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: {} } } }];
const m = { model: 'gpt-test', messages };
const own = mode === 'gateway' ? { customer_identifier: 'c1', metadata: { a: 'b' } } : {};
const calls = {
  plain: ['n=6; id=1', m],
  'own members': ['n=6; id=1', { ...m, ...own }],
  tools: ['tools=1; id=1', { ...m, tools }],
  stream: ['n=30; split=rand; id=1', { ...m, stream: true }],
  'stream with usage': ['n=5; id=1', { ...m, stream: true, stream_options: { include_usage: true } }],
  'stream of tools': ['tools=1; id=1', { ...m, stream: true, tools }],
  'stream with comments': ['comments=1; crlf=1; n=4; id=1', { ...m, stream: true }],
  'error in a stream': ['n=9; error=3; id=1', { ...m, stream: true }],
  'cut stream': ['n=9; cut=3; id=1', { ...m, stream: true }],
  401: ['status=401; id=1', m],
  429: ['status=429; retry-after=7; id=1', m],
  '500 html': ['status=500; body=html; id=1', m],
  '500 empty': ['status=500; body=empty; id=1', { ...m, stream: true }],
};
const error = (e) => ({
  class: e.constructor.name, status: e.status ?? null, code: e.code ?? null, message: e.status ? e.message : 'no status',
  request_id: e.requestID ?? null, body: e.error ?? null, retry_after: e.headers?.get ? e.headers.get('retry-after') : null,
});
const result = {};
for (const [name, [fake, body]] of Object.entries(calls)) {
  try {
    const r = await c.chat.completions.create(body, { headers: { 'x-fake': fake } });
    if (body.stream) {
      const got = [];
      try {
        for await (const chunk of r) got.push(chunk);
      } catch (e) {
        got.push(error(e));
      }
      result[name] = got;
    } else result[name] = { ...r, _request_id: r._request_id };
  } catch (e) {
    result[name] = error(e);
  }
}
result.models = await c.get('/models');
console.log(JSON.stringify({ version, result }));
