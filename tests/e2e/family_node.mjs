// SPDX-License-Identifier: Apache-2.0
// Run by families_test.py in an npm project that holds `openai` and `@anthropic-ai/sdk`: the calls of
// family_openai.py and family_anthropic.py, by the Node clients.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
const [, , direct, through, project] = process.argv;
const require = createRequire(project + '/package.json');
const load = async (name) => await import(pathToFileURL(require.resolve(name)).href);
const version = (name) => require(project + '/node_modules/' + name + '/package.json').version;
const openai = await load('openai');
const OpenAI = openai.default?.OpenAI ?? openai.default;
const { Anthropic } = await load('@anthropic-ai/sdk');

const error = (e) => ({
  class: e.constructor.name,
  message: e.status ? e.message : String(e.message).slice(0, 80),
  status: e.status ?? null,
  code: e.code ?? null,
  request_id: e.requestID ?? null,
  body: e.error ?? null,
  retry_after: e.headers?.get ? e.headers.get('retry-after') : null,
});
async function each(stream) {
  const out = [];
  try {
    for await (const x of stream) out.push(x);
  } catch (e) {
    out.push(error(e));
  }
  return out;
}
const bytes = (data) => ({
  bytes: data.byteLength,
  sha256: createHash('sha256').update(Buffer.from(data)).digest('hex'),
});
const raw = async (r) => [
  r.status,
  ['content-type', 'x-request-id', 'request-id', 'content-length'].map((n) => r.headers.get(n)),
  bytes(await r.arrayBuffer()),
];

const user = [{ role: 'user', content: 'Zürich \u{1f3d4}?' }];
const parameters = { type: 'object', properties: {} };
const tools = ['get_weather', 'get_time'].map((name) => ({ type: 'function', function: { name, parameters } }));
const chat = { model: 'gpt-test', messages: user };
const responseTools = [{ type: 'function', name: 'get_weather', parameters, strict: false }];
const ask = { model: 'gpt-test', input: 'Zürich?' };
const wav = () => new File([Buffer.alloc(5000, 7)], 'a "b".wav', { type: 'audio/wav' });
const calls = {};
// simple(name, method of the client, body, cases...): a stream is read to its end
const simple = (name, method, body, ...cases) => {
  calls[name] = async (c, h) => {
    const r = await method(c)(body, h(...cases));
    return body?.stream ? each(r) : r;
  };
};

const create = (c) => c.chat.completions.create.bind(c.chat.completions);
for (const [name, body, ...cases] of [
  ['plain', {}],
  ['choices', { n: 2 }],
  ['tools', { tools }],
  ['refusal', {}, 'case=refusal'],
  ['reasoning', {}, 'case=reasoning'],
  ['annotations', {}, 'case=annotations'],
  ['logprobs', { logprobs: true }],
  ['audio', { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } }],
]) {
  simple('chat ' + name, create, { ...chat, ...body }, ...cases);
  simple('chat stream ' + name, create, { ...chat, ...body, stream: true }, ...cases);
}
simple('chat stream usage', create, { ...chat, stream: true, stream_options: { include_usage: true } });
simple('chat stream cut anywhere', create, { ...chat, stream: true }, 'split=byte');
simple('chat stream error', create, { ...chat, stream: true }, 'case=error');
simple('chat error 429', create, chat, 'status=429', 'retry-after=7');
calls['chat stream helper'] = async (c, h) => {
  const s = c.chat.completions.stream(chat, h());
  return [await each(s), await s.finalChatCompletion()];
};
calls['chat raw'] = async (c, h) => raw(await c.chat.completions.create(chat, h()).asResponse());

const complete = (c) => c.completions.create.bind(c.completions);
const prompt = { model: 'gpt-test', prompt: 'Zürich' };
simple('completion plain', complete, prompt);
simple('completion choices', complete, { ...prompt, n: 2 });
simple('completion stream plain', complete, { ...prompt, stream: true });
simple('completion stream usage', complete, { ...prompt, stream: true, stream_options: { include_usage: true } });

const respond = (c) => c.responses.create.bind(c.responses);
for (const [name, body, ...cases] of [
  ['plain', {}],
  ['tools', { tools: responseTools }],
  ['reasoning', {}, 'case=reasoning'],
  ['annotations', {}, 'case=annotations'],
  ['refusal', {}, 'case=refusal'],
  ['failed', {}, 'case=failed'],
  ['incomplete', {}, 'case=incomplete'],
]) {
  simple('response ' + name, respond, { ...ask, ...body }, ...cases);
  simple('response stream ' + name, respond, { ...ask, ...body, stream: true }, ...cases);
}
simple('response background', respond, { ...ask, background: true });
calls['response stream helper'] = async (c, h) => {
  const s = c.responses.stream(ask, h());
  return [await each(s), await s.finalResponse()];
};
calls['stored retrieve response'] = (c, h) => c.responses.retrieve('resp_bg', {}, h());
calls['stored stream response'] = async (c, h) =>
  each(await c.responses.retrieve('resp_bg', { stream: true, starting_after: 2 }, h()));
calls['stored delete response'] = (c, h) => c.responses.delete('resp_1', h());
calls['stored cancel response'] = (c, h) => c.responses.cancel('resp_bg', h());
calls['other input tokens'] = (c, h) => c.responses.inputTokens.count(ask, h());

const embed = (c) => c.embeddings.create.bind(c.embeddings);
simple('embedding plain', embed, { model: 'embed-test', input: 'Zürich' });
simple('embedding float', embed, { model: 'embed-test', input: 'Zürich', encoding_format: 'float' });
simple('embedding many', embed, { model: 'embed-test', input: ['a', 'b', 'c'] });
simple('embedding dimensions', embed, { model: 'embed-test', input: [1, 2, 3], dimensions: 5 });

for (const form of ['mp3', 'wav', 'pcm', 'flac', 'opus', 'aac'])
  calls['speech ' + form] = async (c, h) =>
    raw(await c.audio.speech.create({ model: 'tts-test', voice: 'alloy', input: 'Grüße', response_format: form }, h()));
calls['speech sse'] = async (c, h) =>
  raw(await c.audio.speech.create({ model: 'tts-test', voice: 'alloy', input: 'Grüße', stream_format: 'sse' }, h()));
const listen = (c) => c.audio.transcriptions.create.bind(c.audio.transcriptions);
for (const form of ['json', 'text', 'srt', 'verbose_json', 'vtt', 'diarized_json'])
  simple('transcription ' + form, listen, { file: wav(), model: 'listen-test', response_format: form, language: 'de' });
simple('transcription stream json', listen, { file: wav(), model: 'listen-test', stream: true });
simple('transcription seconds', listen, { file: wav(), model: 'whisper-1' });
simple('members transcription', listen, {
  file: wav(),
  model: 'listen-test',
  customer_identifier: 'multipart customer',
  metadata: { feature: 'x' },
});
simple('translation json', (c) => c.audio.translations.create.bind(c.audio.translations), {
  file: wav(),
  model: 'whisper-1',
});

const draw = (c) => c.images.generate.bind(c.images);
simple('image plain', draw, { model: 'image-test', prompt: 'Ä', n: 2 });
simple('image stream', draw, { model: 'image-test', prompt: 'Ä', stream: true, partial_images: 2 });
simple('image edit', (c) => c.images.edit.bind(c.images), {
  model: 'image-test',
  prompt: 'Ä',
  image: new File(['\x89PNG'], 'a.png', { type: 'image/png' }),
});
simple('other moderation', (c) => c.moderations.create.bind(c.moderations), {
  model: 'moderation-test',
  input: ['a', 'b'],
});
calls['rerank plain'] = (c, h) =>
  c.post('/rerank', { body: { model: 'rerank-test', query: 'q', documents: ['a', 'b'] }, ...h() });
calls['other upload'] = (c, h) => c.files.create({ file: new File(['{"a": 1}\n'], 'a.jsonl'), purpose: 'batch' }, h());
calls['other files'] = async (c, h) => (await c.files.list({}, h())).data;
calls['other file'] = (c, h) => c.files.retrieve('file-1', h());
calls['other delete file'] = (c, h) => c.files.delete('file-1', h());
calls['other file content'] = async (c, h) => raw(await c.files.content('file-1', h()));
simple('other batch', (c) => c.batches.create.bind(c.batches), {
  input_file_id: 'file-1',
  endpoint: '/v1/chat/completions',
  completion_window: '24h',
});
calls['other get batch'] = (c, h) => c.batches.retrieve('batch_1', h());
calls['other cancel batch'] = (c, h) => c.batches.cancel('batch_1', h());
calls['other models'] = async (c, h) => (await c.models.list(h())).data;
calls['other model'] = (c, h) => c.models.retrieve('gpt-test', h());

const claudeCalls = {};
const message = { model: 'claude-test', max_tokens: 2000, messages: user };
const claudeTools = [{ name: 'get_weather', input_schema: parameters }];
const thinking = { thinking: { type: 'enabled', budget_tokens: 1024 } };
const talk = (c) => c.messages.create.bind(c.messages);
for (const [name, body, ...cases] of [
  ['plain', {}],
  ['system', { system: 'Kurz.' }],
  ['tools', { tools: claudeTools }],
  ['thinking', thinking],
  ['redacted', thinking, 'case=redacted'],
  ['search', {}, 'case=search'],
]) {
  claudeCalls['messages ' + name] = (c, h) => talk(c)({ ...message, ...body }, h(...cases));
  claudeCalls['messages stream ' + name] = async (c, h) =>
    each(await talk(c)({ ...message, ...body, stream: true }, h(...cases)));
  claudeCalls['messages helper ' + name] = async (c, h) => {
    const s = c.messages.stream({ ...message, ...body }, h(...cases));
    return [await each(s), await s.finalMessage()];
  };
}
claudeCalls['messages stream error'] = async (c, h) =>
  each(await talk(c)({ ...message, stream: true }, h('case=error')));
for (const status of [401, 429, 529])
  claudeCalls['messages error ' + status] = (c, h) => talk(c)(message, h('status=' + status, 'retry-after=7'));
claudeCalls['messages beta'] = (c, h) => c.beta.messages.create({ ...message, betas: ['context-1m-2025-08-07'] }, h());
claudeCalls['messages raw'] = async (c, h) => raw(await c.messages.create(message, h()).asResponse());
claudeCalls['messages x-api-key'] = (c, h) => {
  const more = h();
  more.headers['x-api-key'] = 'sk-y';
  more.headers.authorization = null;
  return talk(c)(message, more);
};
claudeCalls['other count tokens'] = (c, h) => c.messages.countTokens({ model: message.model, messages: user }, h());

async function run(kind, client, list) {
  const out = {};
  await Promise.all(
    Object.entries(list).map(async ([name, call]) => {
      const h = (...cases) => ({
        headers: {
          'x-respan-customer-identifier': kind + '/' + name,
          'x-fake': ['tag=' + kind + '/' + name, ...cases].join('; '),
        },
      });
      try {
        const r = await call(client, h);
        out[kind + '/' + name] = r?._request_id ? [r, r._request_id] : (r ?? null);
      } catch (e) {
        out[kind + '/' + name] = error(e);
      }
    }),
  );
  return out;
}
const side = async (base) => ({
  ...(await run('openai-node', new OpenAI({ baseURL: base + '/v1', apiKey: 'sk-x', maxRetries: 0 }), calls)),
  ...(await run('anthropic-node', new Anthropic({ baseURL: base, apiKey: 'sk-x', maxRetries: 0 }), claudeCalls)),
});
console.log(
  JSON.stringify({
    version: version('openai') + ', ' + version('@anthropic-ai/sdk'),
    direct: await side(direct),
    through: await side(through),
  }),
);
