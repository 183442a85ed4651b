// SPDX-License-Identifier: Apache-2.0
// Run by otlp_clients_test.py: otlp_client.cjs BASE_URL GATEWAY_URL WHAT PROJECT prints what the application saw as JSON.
//   keywordsai          @keywordsai/tracing around the openai package: a workflow, an agent in it, a task, a tool
//   vercel, json, proto the AI SDK with @keywordsai/exporter-vercel, or OpenTelemetry's exporters
const [base, gateway, what, project] = process.argv.slice(2);
const need = require("module").createRequire(project + "/");
const real = console.log;
console.log = console.debug = console.info = () => {};	// the packages talk

async function keywordsai() {
	const { KeywordsAITelemetry } = need("@keywordsai/tracing");
	const { OpenAI } = need("openai");
	const k = new KeywordsAITelemetry({ apiKey: "sk-client-1", baseURL: gateway, appName: "client", instrumentModules: { openAI: OpenAI } });
	await k.initialize();
	const client = new OpenAI({ baseURL: base, apiKey: "sk-client-1", maxRetries: 0 });
	const calls = [];
	const ask = async () => {
		const r = await client.chat.completions.create({ model: "gpt-test", messages: [{ role: "user", content: "Zürich" }] });
		calls.push({ id: r.id, in: r.usage.prompt_tokens, out: r.usage.completion_tokens, text: r.choices[0].message.content });
		return r.choices[0].message.content;
	};
	await k.withWorkflow({ name: "wf" }, () => k.withTask({ name: "tk" }, async () => {
		await k.withTool({ name: "tl" }, async () => "found");
		return ask();
	}));
	await k.withWorkflow({ name: "bad" }, async () => { throw new Error("boom"); }).catch(() => {});
	await k.shutdown();
	return calls;
}

async function aiSdk() {
	const { NodeTracerProvider, BatchSpanProcessor } = need("@opentelemetry/sdk-trace-node");
	const exporters = {
		vercel: () => new (need("@keywordsai/exporter-vercel").KeywordsAIExporter)({ apiKey: "sk-client-1", baseUrl: gateway + "/api" }),
		json: () => new (need("@opentelemetry/exporter-trace-otlp-http").OTLPTraceExporter)({ url: gateway + "/api/v1/traces", compression: "gzip" }),
		proto: () => new (need("@opentelemetry/exporter-trace-otlp-proto").OTLPTraceExporter)({ url: gateway + "/v1/traces" }),
	};
	const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporters[what]())] });
	provider.register();
	const { generateText, streamText } = need("ai");
	const model = need("@ai-sdk/openai").createOpenAI({ baseURL: base, apiKey: "sk-client-1" }).chat("gpt-test");
	const experimental_telemetry = { isEnabled: true, metadata: { userId: "client-" + what, plan: "pro" } };
	const calls = [];
	const r = await generateText({ model, prompt: "Zürich", experimental_telemetry });
	calls.push({ in: r.usage.inputTokens, out: r.usage.outputTokens, text: r.text });
	const s = streamText({ model, prompt: "Go", experimental_telemetry });
	let text = "";
	for await (const piece of s.textStream)
		text += piece;
	const usage = await s.usage;
	calls.push({ in: usage.inputTokens, out: usage.outputTokens, text });
	await provider.forceFlush();
	await provider.shutdown();
	return calls;
}

(what === "keywordsai" ? keywordsai() : aiSdk()).then((calls) => real(JSON.stringify({ calls })),
	(e) => { process.stderr.write(String(e && e.stack) + "\n"); process.exit(1); });
