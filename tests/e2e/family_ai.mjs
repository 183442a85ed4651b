// SPDX-License-Identifier: Apache-2.0
// Run by families_test.py in an npm project that holds `ai` and its providers: the Vercel AI SDK.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
const [, , direct, through, project] = process.argv;
const require = createRequire(project + '/package.json');
const load = async (name) => await import(pathToFileURL(require.resolve(name)).href);
const { default: module } = await load('ai').then((m) => (m.default?.generateText ? m : { default: m }));
const {
  embed,
  embedMany,
  experimental_generateSpeech,
  experimental_transcribe,
  generateObject,
  generateText,
  jsonSchema,
  streamText,
  tool,
} = module;
const { createOpenAI } = await load('@ai-sdk/openai');
const { createOpenAICompatible } = await load('@ai-sdk/openai-compatible');
const { createAnthropic } = await load('@ai-sdk/anthropic');

const prompt = 'Zürich \u{1f3d4}?';
const weather = {
  get_weather: tool({
    description: '-',
    inputSchema: jsonSchema({ type: 'object', properties: { city: { type: 'string' } } }),
  }),
};
const place = jsonSchema({
  type: 'object',
  properties: { city: { type: 'string' }, height: { type: 'number' } },
  required: ['city', 'height'],
  additionalProperties: false,
});
// What the application sees, less the times at which it happened.
const told = (r) => ({
  text: r.text,
  reasoning: r.reasoningText,
  calls: r.toolCalls,
  finish: r.finishReason,
  usage: r.usage,
  sources: r.sources,
  id: r.response?.id,
  model: r.response?.modelId,
});
const generated = async (model, h, more = {}) =>
  told(await generateText({ model, prompt, maxRetries: 0, ...h, ...more }));
async function streamed(model, h, more = {}) {
  const r = streamText({ model, prompt, maxRetries: 0, onError() {}, ...h, ...more });
  const parts = [];
  for await (const p of r.fullStream)
    if (['text-delta', 'reasoning-delta', 'tool-call', 'tool-input-delta', 'error'].includes(p.type))
      parts.push([p.type, p.text ?? p.delta ?? p.input ?? String(p.error)]);
  return [parts, await r.text, await r.usage, await r.finishReason];
}
const object = async (model, h) => {
  const r = await generateObject({ model, prompt, schema: place, maxRetries: 0, ...h });
  return [r.object, r.usage];
};
const thinking = { providerOptions: { anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } } } };

const sdk = {
  ai: (base) => {
    const p = createOpenAI({ baseURL: base + '/v1', apiKey: 'sk-x' });
    return {
      'chat plain': (h) => generated(p.chat('gpt-test'), h()),
      'chat tools': (h) => generated(p.chat('gpt-test'), h(), { tools: weather }),
      'chat stream usage': (h) => streamed(p.chat('gpt-test'), h()),
      'chat stream usage tools': (h) => streamed(p.chat('gpt-test'), h(), { tools: weather }),
      'chat object': (h) => object(p.chat('gpt-test'), h()),
      'chat error 429': (h) => generated(p.chat('gpt-test'), h('status=429')),
      'response plain': (h) => generated(p.responses('gpt-test'), h()),
      'response tools': (h) => generated(p.responses('gpt-test'), h(), { tools: weather }),
      'response stream reasoning': (h) => streamed(p.responses('gpt-test'), h('case=reasoning')),
      'response object': (h) => object(p.responses('gpt-test'), h()),
      'completion plain': (h) => generated(p.completion('gpt-test'), h()),
      'completion stream usage': (h) => streamed(p.completion('gpt-test'), h()),
      'embedding plain': async (h) =>
        (await embed({ model: p.embedding('embed-test'), value: 'a', maxRetries: 0, ...h() })).embedding,
      'embedding many': async (h) =>
        (await embedMany({ model: p.embedding('embed-test'), values: ['a', 'b'], maxRetries: 0, ...h() })).embeddings,
      'speech mp3': async (h) => {
        const r = await experimental_generateSpeech({
          model: p.speech('tts-test'),
          text: 'Grüße',
          maxRetries: 0,
          ...h(),
        });
        return [r.audio.mediaType, createHash('sha256').update(r.audio.uint8Array).digest('hex')];
      },
      'transcription json': async (h) => {
        const r = await experimental_transcribe({
          model: p.transcription('listen-test'),
          audio: Buffer.from('RIFF0000WAVE' + 'x'.repeat(4000)),
          maxRetries: 0,
          ...h(),
        });
        return [r.text, r.segments, r.language];
      },
    };
  },
  'ai-compatible': (base) => {
    const p = createOpenAICompatible({ name: 'any', baseURL: base + '/v1', apiKey: 'sk-x', includeUsage: true });
    return {
      'chat plain': (h) => generated(p.chatModel('gpt-test'), h()),
      'chat stream usage reasoning': (h) => streamed(p.chatModel('gpt-test'), h('case=reasoning')),
      'chat stream usage tools': (h) => streamed(p.chatModel('gpt-test'), h(), { tools: weather }),
      'completion plain': (h) => generated(p.completionModel('gpt-test'), h()),
      'embedding many': async (h) =>
        (await embedMany({ model: p.textEmbeddingModel('embed-test'), values: ['a', 'b'], maxRetries: 0, ...h() }))
          .embeddings,
    };
  },
  'ai-anthropic': (base) => {
    const p = createAnthropic({ baseURL: base + '/v1', apiKey: 'sk-x' });
    return {
      'messages plain': (h) => generated(p('claude-test'), h()),
      'messages tools': (h) => generated(p('claude-test'), h(), { tools: weather }),
      'messages thinking': (h) => generated(p('claude-test'), h(), thinking),
      'messages stream plain': (h) => streamed(p('claude-test'), h()),
      'messages stream thinking': (h) => streamed(p('claude-test'), h(), thinking),
      'messages stream tools': (h) => streamed(p('claude-test'), h(), { tools: weather }),
      'messages error 529': (h) => generated(p('claude-test'), h('status=529')),
    };
  },
};

async function side(base) {
  const out = {};
  await Promise.all(
    Object.entries(sdk).flatMap(([kind, make]) =>
      Object.entries(make(base)).map(async ([name, call]) => {
        const h = (...cases) => ({
          headers: {
            'x-respan-customer-identifier': kind + '/' + name,
            'x-fake': ['tag=' + kind + '/' + name, ...cases].join('; '),
          },
        });
        try {
          out[kind + '/' + name] = (await call(h)) ?? null;
        } catch (e) {
          out[kind + '/' + name] = {
            class: e.name,
            message: e.message,
            status: e.statusCode ?? null,
            body: e.responseBody ?? null,
          };
        }
      }),
    ),
  );
  return out;
}
globalThis.AI_SDK_LOG_WARNINGS = false;
console.log(
  JSON.stringify({
    version: require('ai/package.json').version,
    direct: await side(direct),
    through: await side(through),
  }),
);
