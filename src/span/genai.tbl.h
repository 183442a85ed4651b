/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OpenTelemetry's GenAI conventions call things, where the name is another:
 * OPERATION(log_type, operation), PROVIDER(vendor as vendor.tbl.h names it, name).
 * A log type or provider that is not here goes by its own name, which the
 * conventions allow.
 */
OPERATION("response", "chat")
OPERATION("completion", "text_completion")
OPERATION("text", "text_completion")
OPERATION("embedding", "embeddings")
OPERATION("workflow", "invoke_workflow")
OPERATION("agent", "invoke_agent")
OPERATION("tool", "execute_tool")
OPERATION("function", "execute_tool")

PROVIDER("google", "gcp.gemini")
PROVIDER("vertex", "gcp.vertex_ai")
PROVIDER("azure", "azure.ai.openai")
PROVIDER("bedrock", "aws.bedrock")
PROVIDER("mistral", "mistral_ai")
PROVIDER("xai", "x_ai")
PROVIDER("moonshot", "moonshot_ai")
