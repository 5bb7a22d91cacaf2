/*
 * The judge: OpenSSL's SSL_write(3), SSL_read(3) and SSL_shutdown(3) over its own BIO pairs, one call at a time.
 *
 * A server of calls: it reads a command from standard input, makes that one call, and answers with the return
 * value, what SSL_get_error(3) says, and how many bytes wait in the pair. It decides nothing and compares nothing.
 * It is a program of its own because Offwire forbids unsafe code in every crate, and because a connection that
 * OpenSSL cannot survive must not take the comparison with it.
 *
 *     SSL <-> [ half ] ... emits at most `capacity` bytes ... [ network half ] <-> TAKE, PUT, END
 *
 * Numbers on the pipe are little-endian, as the structures below stand in memory.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum operation { VERSION, IDENTITY, NEW, HANDSHAKE, WRITE, READ, PEEK, SHUTDOWN, KEY_UPDATE, RENEGOTIATE, TAKE, PUT, END };
enum flag { SERVER = 1, TLS12 = 2, PARTIAL = 4, FIXED_BUFFER = 8, AES_256 = 16, CHACHA20 = 32 };
enum { ENDS = 2, PATTERN = 1 << 22, BUFFER = 1 << 18 };

struct command {
    uint8_t operation; /* enum operation */
    uint8_t end;       /* which of the two ends */
    uint8_t flags;     /* NEW: enum flag; WRITE: which copy of the pattern */
    uint8_t unused;
    uint32_t a; /* a length, a capacity or a choice */
    uint32_t b; /* WRITE: where in the pattern; NEW: capacity of the incoming direction */
    uint32_t payload; /* bytes that follow: IDENTITY, PUT */
};

struct answer {
    int32_t result;   /* what the call returned */
    int32_t error;    /* SSL_get_error(3), asked after every verb */
    uint32_t reason;  /* the reason code of the newest error that says why, or 0 */
    uint32_t out;     /* emitted and not taken, in bytes */
    uint32_t pending; /* SSL_pending(3) */
    uint32_t payload; /* bytes that follow: READ, PEEK, TAKE, VERSION */
};

_Static_assert(sizeof(struct command) == 16 && sizeof(struct answer) == 24, "the pipe has no padding");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers on the pipe are little-endian");
_Static_assert(SSL_ERROR_NONE == 0 && SSL_ERROR_SSL == 1 && SSL_ERROR_WANT_READ == 2 && SSL_ERROR_WANT_WRITE == 3 &&
                   SSL_ERROR_SYSCALL == 5 && SSL_ERROR_ZERO_RETURN == 6,
               "src/outcome.rs knows them by these numbers");
_Static_assert(SSL_R_BAD_LENGTH == 271 && SSL_R_BAD_WRITE_RETRY == 127 && SSL_R_PROTOCOL_IS_SHUTDOWN == 207 &&
                   SSL_R_SHUTDOWN_WHILE_IN_INIT == 407 && SSL_R_APPLICATION_DATA_AFTER_CLOSE_NOTIFY == 291 &&
                   SSL_R_UNEXPECTED_EOF_WHILE_READING == 294 && SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC == 281 &&
                   SSL_AD_REASON_OFFSET == 1000,
               "src/outcome.rs knows them by these numbers");

struct end {
    SSL *ssl;
    BIO *network;
};

static struct end ends[ENDS];
static SSL_CTX *clients, *servers;
static unsigned char buffer[BUFFER];
/* The plaintext of all writes: the same bytes at two addresses, and a copy in which every byte differs. */
static unsigned char *copies[3];

static void fail(const char *what) {
    fprintf(stderr, "judge: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(2);
}

static void receive(void *into, size_t length) {
    if (length != 0 && fread(into, length, 1, stdin) != 1) {
        if (feof(stdin)) {
            exit(0);
        }
        fail("cannot read a command");
    }
}

/* SplitMix64, as in the test kit: byte 8i+k is byte k of the i-th number. */
static void make_pattern(void) {
    uint64_t state = 0;
    for (int copy = 0; copy < 3; copy++) {
        copies[copy] = malloc(PATTERN);
        if (copies[copy] == NULL) {
            fail("no memory");
        }
    }
    for (size_t i = 0; i < PATTERN; i += 8) {
        state += 0x9e3779b97f4a7c15u;
        uint64_t mixed = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
        mixed ^= mixed >> 31;
        for (size_t k = 0; k < 8; k++) {
            unsigned char byte = (unsigned char)(mixed >> (8 * k));
            copies[0][i + k] = byte;
            copies[1][i + k] = byte;
            copies[2][i + k] = (unsigned char)~byte;
        }
    }
}

/* Tickets and session cache off, and one group; both versions. A server lets clients renegotiate only if
 * asked to, which nobody does here (OpenSSL's default). */
static SSL_CTX *make_context(const SSL_METHOD *method) {
    SSL_CTX *context = SSL_CTX_new(method);
    if (context == NULL || !SSL_CTX_set1_groups_list(context, "X25519") || !SSL_CTX_set_num_tickets(context, 0)) {
        fail("cannot make a context");
    }
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY);
    return context;
}

/* The server's certificate and key, as PEM. */
static int identity(uint32_t length) {
    if (length > BUFFER) {
        fail("the identity is too long");
    }
    receive(buffer, length);
    BIO *pem = BIO_new_mem_buf(buffer, (int)length);
    if (pem == NULL) {
        fail("no memory");
    }
    X509 *certificate = PEM_read_bio_X509(pem, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, NULL, NULL);
    int used = SSL_CTX_use_certificate(servers, certificate) == 1 && SSL_CTX_use_PrivateKey(servers, key) == 1;
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(pem);
    return used;
}

static void release(struct end *end) {
    SSL_free(end->ssl);
    BIO_free(end->network);
    end->ssl = NULL;
    end->network = NULL;
}

/* One suite, by the names that it has in the two versions. */
static int set_suite(SSL *ssl, uint8_t flags) {
    const char *tls13 = "TLS_AES_128_GCM_SHA256", *tls12 = "ECDHE-ECDSA-AES128-GCM-SHA256";
    if (flags & AES_256) {
        tls13 = "TLS_AES_256_GCM_SHA384", tls12 = "ECDHE-ECDSA-AES256-GCM-SHA384";
    } else if (flags & CHACHA20) {
        tls13 = "TLS_CHACHA20_POLY1305_SHA256", tls12 = "ECDHE-ECDSA-CHACHA20-POLY1305";
    }
    return SSL_set_ciphersuites(ssl, tls13) && SSL_set_cipher_list(ssl, tls12);
}

static int make(struct end *end, const struct command *command) {
    release(end);
    int server = command->flags & SERVER;
    int version = command->flags & TLS12 ? TLS1_2_VERSION : TLS1_3_VERSION;
    BIO *half = NULL;
    end->ssl = SSL_new(server ? servers : clients);
    if (end->ssl == NULL || !BIO_new_bio_pair(&half, command->a, &end->network, command->b) ||
        !set_suite(end->ssl, command->flags) || !SSL_set_min_proto_version(end->ssl, version) ||
        !SSL_set_max_proto_version(end->ssl, version)) {
        fail("cannot make an end");
    }
    SSL_set_bio(end->ssl, half, half);
    if (command->flags & PARTIAL) {
        SSL_set_mode(end->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
    }
    if (!(command->flags & FIXED_BUFFER)) {
        SSL_set_mode(end->ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
    if (server) {
        SSL_set_accept_state(end->ssl);
    } else {
        if (!SSL_set_tlsext_host_name(end->ssl, "localhost")) {
            fail("cannot name the server");
        }
        SSL_set_connect_state(end->ssl);
    }
    return 1;
}

/* Makes the call; what it hands out is in `buffer`, and its length in `answer->payload`. */
static int call(struct end *end, const struct command *command, struct answer *answer) {
    int moved;
    switch (command->operation) {
    case HANDSHAKE:
        return SSL_do_handshake(end->ssl);
    case WRITE:
        if (command->flags > 2 || command->b > PATTERN || command->a > PATTERN - command->b) {
            fail("a write beyond the pattern");
        }
        return SSL_write(end->ssl, copies[command->flags] + command->b, (int)command->a);
    case READ:
    case PEEK:
        if (command->a > BUFFER) {
            fail("a read beyond the buffer");
        }
        moved = command->operation == READ ? SSL_read(end->ssl, buffer, (int)command->a)
                                           : SSL_peek(end->ssl, buffer, (int)command->a);
        answer->payload = moved > 0 ? (uint32_t)moved : 0;
        return moved;
    case SHUTDOWN:
        return SSL_shutdown(end->ssl);
    case KEY_UPDATE:
        return SSL_key_update(end->ssl, command->a ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
    case RENEGOTIATE: /* a server: HelloRequest */
        return SSL_renegotiate(end->ssl);
    default:
        fail("no such operation");
        return -1;
    }
}

/* Why the call failed: the newest entry of the queue that says more than that the record layer has failed. */
static uint32_t reason(void) {
    uint32_t told = 0;
    for (unsigned long error = ERR_get_error(); error != 0; error = ERR_get_error()) {
        uint32_t newer = (uint32_t)ERR_GET_REASON(error);
        if (newer != SSL_R_RECORD_LAYER_FAILURE || told == 0) {
            told = newer;
        }
    }
    return told;
}

static void verb(struct end *end, const struct command *command, struct answer *answer) {
    if (end->ssl == NULL) {
        fail("a call on an end that is not there");
    }
    ERR_clear_error();
    answer->result = call(end, command, answer);
    answer->error = SSL_get_error(end->ssl, answer->result);
    answer->reason = reason();
}

/* The wire's side of the pair. */
static void network(struct end *end, const struct command *command, struct answer *answer) {
    if (end->network == NULL) {
        fail("no pair to move bytes through");
    }
    int moved;
    switch (command->operation) {
    case TAKE:
        moved = BIO_read(end->network, buffer, (int)(command->a < BUFFER ? command->a : BUFFER));
        answer->payload = moved > 0 ? (uint32_t)moved : 0;
        answer->result = (int32_t)answer->payload;
        break;
    case PUT:
        if (command->payload > BUFFER) {
            fail("too many bytes at once");
        }
        receive(buffer, command->payload);
        moved = command->payload == 0 ? 0 : BIO_write(end->network, buffer, (int)command->payload);
        answer->result = moved > 0 ? moved : 0;
        break;
    case END:
        answer->result = BIO_shutdown_wr(end->network);
        break;
    }
}

static void serve(const struct command *command, struct answer *answer) {
    if (command->end >= ENDS) {
        fail("there are two ends");
    }
    struct end *end = &ends[command->end];
    switch (command->operation) {
    case VERSION:
        answer->payload = (uint32_t)strlen(OpenSSL_version(OPENSSL_VERSION));
        memcpy(buffer, OpenSSL_version(OPENSSL_VERSION), answer->payload);
        break;
    case IDENTITY:
        answer->result = identity(command->payload);
        break;
    case NEW:
        answer->result = make(end, command);
        break;
    case TAKE:
    case PUT:
    case END:
        network(end, command, answer);
        break;
    default:
        verb(end, command, answer);
    }
    if (end->ssl != NULL) {
        answer->out = (uint32_t)BIO_ctrl_pending(end->network);
        answer->pending = (uint32_t)SSL_pending(end->ssl);
    }
}

int main(void) {
    make_pattern();
    clients = make_context(TLS_client_method());
    servers = make_context(TLS_server_method());
    for (;;) {
        struct command command;
        struct answer answer = {0};
        receive(&command, sizeof command);
        serve(&command, &answer);
        if (fwrite(&answer, sizeof answer, 1, stdout) != 1 ||
            fwrite(buffer, 1, answer.payload, stdout) != answer.payload || fflush(stdout) != 0) {
            fail("cannot answer");
        }
    }
}
