/*
 * OpenSSL as a peer over loopback, for what the `openssl` of most systems is too old for.
 *
 *     peer ech NAME                         writes a new ECH key and its configuration (RFC 9934) with this public name
 *     peer serve CHAIN KEY GROUPS [ECH]     serves one connection after another; says where it listens
 *     peer connect PORT AUTHORITY GROUPS    connects once, and verifies the name `localhost`
 *
 * A connection echoes what arrives until the other end closes. What was negotiated and how it ended is told in lines on
 * standard output. It decides nothing: the tests compare.
 */
#include <arpa/inet.h>
#include <openssl/ech.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what) {
    fprintf(stderr, "peer: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(2);
}

/* One suite of HPKE: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. */
static void make_ech(const char *name) {
    OSSL_HPKE_SUITE suite = OSSL_HPKE_SUITE_DEFAULT;
    OSSL_ECHSTORE *store = OSSL_ECHSTORE_new(NULL, NULL);
    BIO *out = BIO_new_fp(stdout, BIO_NOCLOSE);
    if (store == NULL || out == NULL ||
        !OSSL_ECHSTORE_new_config(store, OSSL_ECH_CURRENT_VERSION, 64, name, suite) ||
        !OSSL_ECHSTORE_write_pem(store, OSSL_ECHSTORE_LAST, out)) {
        fail("cannot make an ECH key");
    }
    BIO_free(out);
    OSSL_ECHSTORE_free(store);
}

/* The configurations of the file are those that a client with others is told to retry with. */
static void use_ech(SSL_CTX *context, const char *file) {
    OSSL_ECHSTORE *store = OSSL_ECHSTORE_new(NULL, NULL);
    BIO *in = BIO_new_file(file, "r");
    if (store == NULL || in == NULL || !OSSL_ECHSTORE_read_pem(store, in, OSSL_ECH_FOR_RETRY) ||
        !SSL_CTX_set1_echstore(context, store)) {
        fail("cannot use the ECH key");
    }
    BIO_free(in);
    OSSL_ECHSTORE_free(store);
}

static SSL_CTX *make_context(const SSL_METHOD *method, const char *groups) {
    SSL_CTX *context = SSL_CTX_new(method);
    if (context == NULL || !SSL_CTX_set1_groups_list(context, groups)) {
        fail("cannot make a context");
    }
    return context;
}

static const char *spell(int status) {
    switch (status) {
    case SSL_ECH_STATUS_SUCCESS:
        return "accepted";
    case SSL_ECH_STATUS_GREASE:
        return "taken for GREASE";
    case SSL_ECH_STATUS_NOT_TRIED:
        return "not tried";
    case SSL_ECH_STATUS_NOT_CONFIGURED:
        return "not configured";
    default:
        return "failed";
    }
}

static const char *or_none(const char *name) {
    return name != NULL ? name : "none";
}

/* What became of an encrypted ClientHello can be asked also where the handshake has failed. */
static void tell_ech(SSL *ssl) {
    char *inner = NULL, *outer = NULL;
    int status = SSL_ech_get1_status(ssl, &inner, &outer);
    printf("ECH %s, inner name %s, outer name %s\n", spell(status), or_none(inner), or_none(outer));
    OPENSSL_free(inner);
    OPENSSL_free(outer);
}

/* An alert of the other end has the reason SSL_AD_REASON_OFFSET, 1000, and its own number. */
static void tell_failure(const char *what) {
    unsigned long error = ERR_peek_last_error();
    printf("%s: reason %d, %s\n", what, ERR_GET_REASON(error), or_none(ERR_reason_error_string(error)));
}

static void echo(SSL *ssl) {
    unsigned char buffer[16384];
    int length;
    while ((length = SSL_read(ssl, buffer, sizeof buffer)) > 0) {
        if (SSL_write(ssl, buffer, length) != length) {
            tell_failure("failed");
            return;
        }
    }
    if (SSL_get_error(ssl, length) == SSL_ERROR_ZERO_RETURN && SSL_shutdown(ssl) == 1) {
        printf("closed\n");
    } else {
        tell_failure("failed");
    }
}

/* Shakes hands over the socket, tells what was negotiated, and echoes. */
static void converse(SSL *ssl, int socket) {
    if (ssl == NULL || !SSL_set_fd(ssl, socket)) {
        fail("cannot make a connection");
    }
    int complete = SSL_do_handshake(ssl) == 1;
    if (!complete) {
        tell_failure("refused");
    }
    if (SSL_is_server(ssl)) {
        tell_ech(ssl);
        printf("name %s\n", or_none(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)));
    }
    if (complete) {
        printf("group %s\n", or_none(SSL_get0_group_name(ssl)));
        echo(ssl);
    }
    ERR_clear_error();
    SSL_free(ssl);
    close(socket);
}

/* A socket of loopback; port 0 lets the system choose. */
static int make_socket(int port, struct sockaddr_in *address) {
    int made = socket(AF_INET, SOCK_STREAM, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (made < 0) {
        fail("cannot make a socket");
    }
    return made;
}

static void serve(const char *chain, const char *key, const char *groups, const char *ech) {
    SSL_CTX *context = make_context(TLS_server_method(), groups);
    if (!SSL_CTX_use_certificate_chain_file(context, chain) ||
        !SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM)) {
        fail("cannot use the certificate or its key");
    }
    if (ech != NULL) {
        use_ech(context, ech);
    }
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int listener = make_socket(0, &address);
    if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        fail("cannot listen");
    }
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    for (;;) {
        int socket = accept(listener, NULL, NULL);
        if (socket < 0) {
            fail("cannot accept");
        }
        SSL *ssl = SSL_new(context);
        if (ssl != NULL) {
            SSL_set_accept_state(ssl);
        }
        converse(ssl, socket);
    }
}

static void connect_to(int port, const char *authority, const char *groups) {
    SSL_CTX *context = make_context(TLS_client_method(), groups);
    if (!SSL_CTX_load_verify_file(context, authority)) {
        fail("cannot trust the authority");
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    struct sockaddr_in address;
    int socket = make_socket(port, &address);
    if (connect(socket, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("cannot connect");
    }
    SSL *ssl = SSL_new(context);
    if (ssl != NULL) {
        if (!SSL_set_tlsext_host_name(ssl, "localhost") || !SSL_set1_dnsname(ssl, "localhost")) {
            fail("cannot name the server");
        }
        SSL_set_connect_state(ssl);
    }
    converse(ssl, socket);
    SSL_CTX_free(context);
}

int main(int count, char **arguments) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    const char *verb = count > 1 ? arguments[1] : "";
    if (strcmp(verb, "ech") == 0 && count == 3) {
        make_ech(arguments[2]);
    } else if (strcmp(verb, "serve") == 0 && (count == 5 || count == 6)) {
        serve(arguments[2], arguments[3], arguments[4], arguments[5]);
    } else if (strcmp(verb, "connect") == 0 && count == 5) {
        connect_to(atoi(arguments[2]), arguments[3], arguments[4]);
    } else {
        fail("usage: peer ech NAME | serve CHAIN KEY GROUPS [ECH] | connect PORT AUTHORITY GROUPS");
    }
    return 0;
}
