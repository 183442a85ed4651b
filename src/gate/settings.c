/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings: TLS contexts and what was learned of each provider. Made by the
 * main thread (here files are read), used by all gate threads. Verification
 * has no switch: a provider's certificate is checked or it is not connected.
 */
#include "gate/settings.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"

/* The system's CA bundle in one file: the hashed directory that OpenSSL would
 * use instead is read at each verification, which a gate thread may not do. */
static const char *const ca_bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt",	/* Debian, Alpine, Arch */
	"/etc/pki/tls/certs/ca-bundle.crt",	/* Fedora */
	"/etc/ssl/ca-bundle.pem",		/* SUSE */
	"/etc/ssl/cert.pem",			/* BSDs */
};

static const char *
ca_default(void)
{
	const char *env = getenv("SSL_CERT_FILE");
	size_t i;

	if (env != NULL && *env != '\0')
		return env;
	for (i = 0; i < sizeof(ca_bundles) / sizeof(ca_bundles[0]); i++)
		if (access(ca_bundles[i], R_OK) == 0)
			return ca_bundles[i];
	return NULL;
}

/* OpenSSL hands over each new session: the newest is kept. */
static int
provider_keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct provider *p = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	SSL_SESSION *old;

	pthread_mutex_lock(&p->lock);
	old = p->session;
	p->session = session;
	pthread_mutex_unlock(&p->lock);
	if (old != NULL)
		SSL_SESSION_free(old);
	return 1;
}

static bool
provider_load_ca(const struct provider *p, char *err, size_t errlen)
{
	const char *file = p->config->ca_file ? p->config->ca_file : ca_default();

	if (file == NULL) {
		snprintf(err, errlen, "provider %s: no CA certificates found on this system"
		    " (install ca-certificates, or set ca_file)", p->config->id);
		return false;
	}
	if (SSL_CTX_load_verify_file(p->tls, file))
		return true;
	snprintf(err, errlen, "provider %s: %s: %s", p->config->id, file,
	    ERR_reason_error_string(ERR_peek_last_error()));
	ERR_clear_error();
	return false;
}

static bool
provider_init_tls(struct provider *p, char *err, size_t errlen)
{
	static const unsigned char alpn[] = "\x08http/1.1";

	p->tls = SSL_CTX_new(TLS_client_method());
	if (p->tls == NULL) {
		snprintf(err, errlen, "provider %s: TLS could not be set up", p->config->id);
		return false;
	}
	SSL_CTX_set_min_proto_version(p->tls, TLS1_2_VERSION);
	SSL_CTX_set_verify(p->tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(p->tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_alpn_protos(p->tls, alpn, sizeof(alpn) - 1);
	SSL_CTX_set_session_cache_mode(p->tls,
	    SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(p->tls, provider_keep_session);
	SSL_CTX_set_app_data(p->tls, p);
	return provider_load_ca(p, err, errlen);
}

struct settings *
settings_new(struct config *config, char *err, size_t errlen)
{
	struct settings *s = xcalloc(1, sizeof(*s));
	struct provider *p;
	size_t i;

	s->config = config_ref(config);
	s->ring = keyring_ref(config->ring);
	s->references = 1;
	s->providers = xcalloc(config->nproviders ? config->nproviders : 1, sizeof(*s->providers));
	for (i = 0; i < config->nproviders; i++) {
		p = &s->providers[i];
		p->config = &config->providers[i];
		pthread_mutex_init(&p->lock, NULL);
	}
	for (i = 0; i < config->nproviders; i++) {
		p = &s->providers[i];
		if (p->config->tls && !provider_init_tls(p, err, errlen)) {
			settings_unref(s);
			return NULL;
		}
	}
	return s;
}

struct settings *
settings_with_ring(struct settings *of, struct keyring *ring)
{
	struct settings *s = xcalloc(1, sizeof(*s));

	s->owner = settings_ref(of->owner ? of->owner : of);
	s->config = s->owner->config;
	s->providers = s->owner->providers;
	s->ring = keyring_ref(ring);
	s->references = 1;
	return s;
}

bool
settings_closed(const struct settings *s)
{
	return s->config->nkeys > 0 || s->ring->closed;
}

struct settings *
settings_ref(struct settings *s)
{
	atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
	return s;
}

void
settings_unref(struct settings *s)
{
	struct provider *p;
	size_t i;

	if (s == NULL || atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) != 1)
		return;
	keyring_unref(s->ring);
	if (s->owner != NULL) {
		settings_unref(s->owner);
		free(s);
		return;
	}
	for (i = 0; i < s->config->nproviders; i++) {
		p = &s->providers[i];
		SSL_SESSION_free(p->session);
		SSL_CTX_free(p->tls);
		pthread_mutex_destroy(&p->lock);
	}
	free(s->providers);
	config_unref(s->config);
	free(s);
}

/* An address is verified as an address, and no server name is sent for it. */
static bool
provider_tls_name(SSL *ssl, const char *host)
{
	unsigned char addr[16];

	if (inet_pton(AF_INET, host, addr) == 1 || inet_pton(AF_INET6, host, addr) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

SSL *
provider_tls(struct provider *p)
{
	SSL *ssl = SSL_new(p->tls);

	if (ssl == NULL)
		return NULL;
	if (!provider_tls_name(ssl, p->config->host)) {
		SSL_free(ssl);
		return NULL;
	}
	pthread_mutex_lock(&p->lock);
	if (p->session != NULL)
		SSL_set_session(ssl, p->session);
	pthread_mutex_unlock(&p->lock);
	return ssl;
}
