/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose prices there are: VENDOR("name", kind, "other names", "hosts"), both
 * lists with blanks between; `*` in them is any run of characters.
 *   MAKER     has models of its own: a proxy's models are looked for here too,
 *             in this order
 *   RESELLER  sells the makers' models: where it has no price of its own for
 *             one, the maker's is taken
 *   HOST      has its own prices alone
 */
VENDOR("openai", MAKER, "text-completion-openai", "api.openai.com *.api.openai.com")
VENDOR("anthropic", MAKER, "claude", "api.anthropic.com")
VENDOR("google", MAKER, "gemini google-ai-studio google_ai_studio google_genai gcp.gemini gcp.gen_ai",
    "generativelanguage.googleapis.com")
VENDOR("xai", MAKER, "x-ai x_ai grok", "api.x.ai *.api.x.ai")
VENDOR("deepseek", MAKER, "", "api.deepseek.com")
VENDOR("mistral", MAKER, "mistralai codestral text-completion-codestral", "api.mistral.ai codestral.mistral.ai")
VENDOR("cohere", MAKER, "cohere_chat", "api.cohere.ai api.cohere.com")
VENDOR("perplexity", MAKER, "", "api.perplexity.ai")
VENDOR("moonshot", MAKER, "moonshotai kimi", "api.moonshot.ai api.moonshot.cn")
VENDOR("zai", MAKER, "zhipuai zhipu z-ai z_ai", "api.z.ai open.bigmodel.cn")
VENDOR("minimax", MAKER, "", "api.minimax.io api.minimaxi.com api.minimax.chat")
VENDOR("dashscope", MAKER, "alibaba qwen", "dashscope.aliyuncs.com dashscope-*.aliyuncs.com")
VENDOR("voyage", MAKER, "voyageai", "api.voyageai.com")
VENDOR("ai21", MAKER, "ai21_chat", "api.ai21.com")
VENDOR("azure", RESELLER, "azure_text azure_ai azure-openai azure_openai azure.ai.openai"
    " az.ai.openai azure.ai.inference az.ai.inference", "*.openai.azure.com *.services.ai.azure.com"
    " *.cognitiveservices.azure.com *.models.ai.azure.com models.inference.ai.azure.com")
VENDOR("bedrock", RESELLER, "aws aws.bedrock bedrock_converse bedrock_mantle amazon_nova amazon-bedrock amazon_bedrock",
    "bedrock*.amazonaws.com bedrock*.amazonaws.com.cn bedrock*.api.aws")
VENDOR("vertex", RESELLER, "vertex_ai vertexai vertex-ai google-vertex google_vertex vertex_ai-* gcp.vertex_ai",
    "aiplatform.googleapis.com *-aiplatform.googleapis.com aiplatform.*.rep.googleapis.com")
VENDOR("openrouter", RESELLER, "", "openrouter.ai *.openrouter.ai")
VENDOR("github_copilot", HOST, "github-copilot", "api.githubcopilot.com *.githubcopilot.com")
VENDOR("vercel_ai_gateway", RESELLER, "vercel ai-gateway", "ai-gateway.vercel.sh")
VENDOR("groq", HOST, "", "api.groq.com")
VENDOR("together", HOST, "together_ai togetherai", "api.together.xyz api.together.ai")
VENDOR("fireworks", HOST, "fireworks_ai fireworks-ai fireworks_ai-embedding-models", "api.fireworks.ai")
VENDOR("deepinfra", HOST, "", "api.deepinfra.com")
VENDOR("cerebras", HOST, "", "api.cerebras.ai")
VENDOR("sambanova", HOST, "", "api.sambanova.ai")
VENDOR("nebius", HOST, "", "api.studio.nebius.ai api.studio.nebius.com api.tokenfactory.nebius.com")
VENDOR("novita", HOST, "", "api.novita.ai")
VENDOR("hyperbolic", HOST, "", "api.hyperbolic.xyz")
VENDOR("nscale", HOST, "", "inference.api.nscale.com")
VENDOR("baseten", HOST, "", "inference.baseten.co")
VENDOR("huggingface", HOST, "hugging_face hugging-face", "router.huggingface.co")
VENDOR("cloudflare", HOST, "workers-ai workers_ai", "api.cloudflare.com")
VENDOR("replicate", HOST, "", "api.replicate.com")
VENDOR("databricks", HOST, "", "*.cloud.databricks.com *.azuredatabricks.net")
VENDOR("snowflake", HOST, "", "*.snowflakecomputing.com")
VENDOR("ovhcloud", HOST, "", "*.endpoints.kepler.ai.cloud.ovh.net oai.endpoints.kepler.ai.cloud.ovh.net")
VENDOR("deepgram", HOST, "", "api.deepgram.com")
VENDOR("elevenlabs", HOST, "", "api.elevenlabs.io")
VENDOR("ollama", HOST, "", "ollama.com")
