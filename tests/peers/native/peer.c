/* OpenSSL or BoringSSL as a peer of the comparison: one program, compiled against each.
 *
 * Reads orders from standard input, a line each: MEASURE VERSION SUITE SIZE COUNT, and answers each
 * with a line of numbers, or with "none" where the library cannot be told to do that. What is
 * measured, and what the numbers mean, is told in ../src/order.rs. Whatever goes wrong ends the
 * program. Arguments: the authority's certificate, the server's chain, its key, as PEM files; then
 * "wire" for the transport of transport.h, or "pair" for the library's own BIO pair between the two. */
#include "transport.h"

/* ---- contexts ---- */

typedef struct {
    SSL_CTX *client, *server;
} Contexts;

static const char *authority, *chain, *key;
static SSL_SESSION *kept; /* the session of the last ticket */
static int sends_tickets; /* whether the server does */

static int keep(SSL *ssl, SSL_SESSION *session) {
    (void)ssl;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

/* Whether the library can be told to use this suite, and no other. */
static int configure(SSL_CTX *context, const char *version, const char *suite) {
    int is_13 = strcmp(version, "1.3") == 0;
    int number = is_13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    MUST(SSL_CTX_set_min_proto_version(context, (uint16_t)number));
    MUST(SSL_CTX_set_max_proto_version(context, (uint16_t)number));
    /* In TLS 1.2 the curve of the certificate has to be among them. */
    MUST(SSL_CTX_set1_groups_list(context, is_13 ? "X25519" : "X25519:P-256"));
    int aes_128 = strcmp(suite, "aes-128-gcm") == 0, aes_256 = strcmp(suite, "aes-256-gcm") == 0;
    if (!is_13)
        return SSL_CTX_set_cipher_list(context, aes_128   ? "ECDHE-ECDSA-AES128-GCM-SHA256"
                                                : aes_256 ? "ECDHE-ECDSA-AES256-GCM-SHA384"
                                                          : "ECDHE-ECDSA-CHACHA20-POLY1305");
#ifdef OPENSSL_IS_BORINGSSL
    return aes_128; /* its suites of TLS 1.3 cannot be chosen; that one comes first where AES is in hardware */
#else
    return SSL_CTX_set_ciphersuites(context, aes_128   ? "TLS_AES_128_GCM_SHA256"
                                             : aes_256 ? "TLS_AES_256_GCM_SHA384"
                                                       : "TLS_CHACHA20_POLY1305_SHA256");
#endif
}

static int make_contexts(Contexts *made, const char *version, const char *suite, int tickets) {
    made->client = SSL_CTX_new(TLS_client_method());
    made->server = SSL_CTX_new(TLS_server_method());
    MUST(made->client && made->server);
    if (!configure(made->client, version, suite) || !configure(made->server, version, suite))
        return 0;
    SSL_CTX_set_verify(made->client, SSL_VERIFY_PEER, NULL);
    MUST(SSL_CTX_load_verify_locations(made->client, authority, NULL));
    MUST(SSL_CTX_use_certificate_chain_file(made->server, chain));
    MUST(SSL_CTX_use_PrivateKey_file(made->server, key, SSL_FILETYPE_PEM));
    SSL_CTX_set_session_cache_mode(made->server, SSL_SESS_CACHE_OFF);
    sends_tickets = tickets > 0;
    MUST(SSL_CTX_set_num_tickets(made->server, (size_t)tickets));
    if (tickets == 0) {
        SSL_CTX_set_options(made->server, SSL_OP_NO_TICKET);
        SSL_CTX_set_session_cache_mode(made->client, SSL_SESS_CACHE_OFF);
    } else {
        SSL_CTX_set_session_cache_mode(made->client,
                                       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(made->client, keep);
    }
    return 1;
}

/* Lets connections give their buffers back; BoringSSL's do by themselves. */
static int release_buffers(Contexts *made) {
#ifdef OPENSSL_IS_BORINGSSL
    (void)made;
    return 0;
#else
    SSL_CTX_set_mode(made->client, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_mode(made->server, SSL_MODE_RELEASE_BUFFERS);
    return 1;
#endif
}

static void free_contexts(Contexts *made) {
    SSL_SESSION_free(kept);
    kept = NULL;
    SSL_CTX_free(made->client);
    SSL_CTX_free(made->server);
}

/* ---- a connection ---- */

static enum { WIRES, BIO_PAIR } transport;

typedef struct {
    SSL *client, *server;
    Wire to_server, to_client;
    Ends ends[2];
    BIO *bios[2]; /* of a BIO pair */
} Pair;

static SSL *endpoint(SSL_CTX *context, Pair *pair, int side) {
    SSL *ssl = SSL_new(context);
    BIO *bio;
    if (transport == BIO_PAIR) {
        if (side == 0) MUST(BIO_new_bio_pair(&pair->bios[0], WIRE, &pair->bios[1], WIRE));
        bio = pair->bios[side];
    } else {
        bio = BIO_new(method);
        MUST(bio);
        BIO_set_data(bio, &pair->ends[side]);
        BIO_set_init(bio, 1);
    }
    MUST(ssl);
    SSL_set_bio(ssl, bio, bio);
    return ssl;
}

static SSL *start_client(Pair *pair, SSL_CTX *context, SSL_SESSION *session) {
    SSL *ssl = endpoint(context, pair, 0);
    MUST(SSL_set_tlsext_host_name(ssl, "localhost"));
    MUST(X509_VERIFY_PARAM_set1_host(SSL_get0_param(ssl), "localhost", 9));
    if (session) MUST(SSL_set_session(ssl, session));
    SSL_set_connect_state(ssl);
    return ssl;
}

static SSL *start_server(Pair *pair, SSL_CTX *context) {
    SSL *ssl = endpoint(context, pair, 1);
    SSL_set_accept_state(ssl);
    return ssl;
}

static int shake(SSL *ssl) {
    int done = SSL_do_handshake(ssl);
    MUST(done == 1 || SSL_get_error(ssl, done) == SSL_ERROR_WANT_READ);
    return done == 1;
}

static uint64_t now(void) {
    struct timespec time;
    MUST(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void wires(Pair *pair) {
    memset(pair, 0, sizeof *pair);
    pair->to_server.bytes = __real_malloc(WIRE);
    pair->to_client.bytes = __real_malloc(WIRE);
    pair->ends[0] = (Ends){&pair->to_client, &pair->to_server};
    pair->ends[1] = (Ends){&pair->to_server, &pair->to_client};
}

/* Shakes hands; spent: the CPU time of the client and of the server. With session: resumes it. */
static void connect_pair(Pair *pair, Contexts *contexts, SSL_SESSION *session, uint64_t spent[2]) {
    uint64_t start = now(), end;
    pair->client = start_client(pair, contexts->client, session);
    spent[0] += (end = now()) - start;
    pair->server = start_server(pair, contexts->server);
    spent[1] += (start = now()) - end;
    int ours = 0, theirs = 0;
    while (!ours || !theirs) {
        ours = shake(pair->client);
        spent[0] += (end = now()) - start;
        theirs = shake(pair->server);
        spent[1] += (start = now()) - end;
    }
    char byte = 0; /* a ticket is dealt with when the client reads */
#ifdef OPENSSL_IS_BORINGSSL
    if (sends_tickets) { /* and leaves when this server writes */
        MUST(SSL_write(pair->server, &byte, 1) == 1);
        spent[1] += (end = now()) - start;
        MUST(SSL_read(pair->client, &byte, 1) == 1);
        spent[0] += (start = now()) - end;
    }
#else
    (void)sends_tickets;
#endif
    MUST(SSL_read(pair->client, &byte, 1) == -1);
    spent[0] += now() - start;
    MUST(SSL_session_reused(pair->server) == (session != NULL));
}

static void disconnect_pair(Pair *pair, uint64_t spent[2]) {
    uint64_t start = now(), end;
    SSL_set_quiet_shutdown(pair->client, 1); /* or the session would count as broken */
    SSL_shutdown(pair->client);
    SSL_free(pair->client);
    spent[0] += (end = now()) - start;
    SSL_set_quiet_shutdown(pair->server, 1);
    SSL_shutdown(pair->server);
    SSL_free(pair->server);
    spent[1] += now() - end;
    pair->to_server.head = pair->to_server.tail = pair->to_client.head = pair->to_client.tail = 0;
}

static void free_wires(Pair *pair) {
    __real_free(pair->to_server.bytes);
    __real_free(pair->to_client.bytes);
}

/* ---- measures ---- */

static unsigned char plaintext[65536], opened[BATCH + 65536];

static void write_all(SSL *ssl, size_t size) {
    MUST(SSL_write(ssl, plaintext, (int)size) == (int)size);
}

/* Throws away what waits for the server in a BIO pair, and counts it; BoringSSL's has no such call, and is
 * not measured over one. */
static void discard(Pair *pair) {
#ifdef OPENSSL_IS_BORINGSSL
    (void)pair;
#else
    char *waiting;
    for (int length; transport == BIO_PAIR && (length = BIO_nread(pair->bios[1], &waiting, WIRE)) > 0;)
        pair->to_server.tail += (size_t)length;
#endif
}

static void read_all(SSL *ssl, unsigned char *into, size_t size, size_t room) {
    for (size_t got = 0; got < size;) {
        int length = SSL_read(ssl, into + got, (int)(room - got));
        MUST(length > 0);
        got += (size_t)length;
    }
}

static void check_opened(size_t size, size_t times) {
    for (size_t each = 0; each < times; each++)
        MUST(memcmp(opened + each * size, plaintext, size) == 0);
    memset(opened, 0, sizeof opened);
}

static uint64_t seal(Pair *pair, size_t size, size_t count) {
    pair->to_server.kind = COUNTS;
    for (int each = 0; each < WARM_UP; each++) {
        write_all(pair->client, size);
        discard(pair);
    }
    pair->to_server.tail = 0;
    uint64_t start = now();
    for (size_t each = 0; each < count; each++) {
        write_all(pair->client, size);
        discard(pair);
    }
    uint64_t spent = now() - start;
    MUST(pair->to_server.tail > size * count);
    return spent;
}

/* Writes and reads so often, in batches; spent: the time of the reads. */
static uint64_t open_batches(Pair *pair, size_t size, size_t count) {
    uint64_t spent = 0;
    while (count > 0) {
        size_t times = count < BATCH / size ? count : BATCH / size;
        for (size_t each = 0; each < times; each++) write_all(pair->client, size);
        uint64_t start = now();
        read_all(pair->server, opened, size * times, size * times + 1);
        spent += now() - start;
        check_opened(size, times);
        count -= times;
    }
    return spent;
}

static void trips(Pair *pair, size_t size, size_t count) {
    for (size_t each = 0; each < count; each++) {
        write_all(pair->client, size);
        read_all(pair->server, opened, size, size);
        MUST(SSL_write(pair->server, opened, (int)size) == (int)size);
        read_all(pair->client, opened, size, size);
    }
}

static void bulk(Pair *pair, SSL *from, SSL *to) {
    (void)pair;
    for (size_t moved = 0; moved < BULK; moved += 16384) {
        write_all(from, 16384);
        read_all(to, opened, 16384, 16385);
    }
}

/* Bytes of each end: what freeing it gives back. */
static void memory(Pair *pair, const char *state) {
    trips(pair, 100, 1);
    if (strcmp(state, "message") != 0) {
        bulk(pair, pair->client, pair->server);
        bulk(pair, pair->server, pair->client);
    }
    int64_t before = live;
    SSL_free(pair->client);
    int64_t between = live;
    SSL_free(pair->server);
    printf("%lld %lld\n", (long long)(before - between), (long long)(between - live));
}

/* Bytes that each of so many idle servers holds. */
static void idle(Contexts *contexts, size_t count) {
    Pair pair;
    uint64_t spent[2];
    SSL **servers = __real_calloc(count, sizeof *servers);
    wires(&pair);
    connect_pair(&pair, contexts, NULL, spent); /* what comes once has come */
    disconnect_pair(&pair, spent);
    int64_t before = live;
    for (size_t each = 0; each < count; each++) {
        connect_pair(&pair, contexts, NULL, spent);
        trips(&pair, 100, 1);
        SSL_free(pair.client);
        servers[each] = pair.server;
    }
    printf("%lld\n", (long long)((live - before) / (int64_t)count));
    for (size_t each = 0; each < count; each++) SSL_free(servers[each]);
    __real_free(servers);
    free_wires(&pair);
}

static void handshakes(Contexts *contexts, int resumed, size_t count) {
    Pair pair;
    uint64_t spent[2] = {0, 0}, warm[2];
    wires(&pair);
    for (int each = 0; each < WARM_UP; each++) {
        connect_pair(&pair, contexts, NULL, warm);
        disconnect_pair(&pair, warm);
    }
    for (size_t each = 0; each < count; each++) {
        SSL_SESSION *session = NULL;
        if (resumed) MUST((session = kept) && SSL_SESSION_up_ref(session));
        connect_pair(&pair, contexts, session, spent);
        SSL_SESSION_free(session);
        disconnect_pair(&pair, spent);
    }
    free_wires(&pair);
    printf("%llu %llu\n", (unsigned long long)spent[0], (unsigned long long)spent[1]);
}

static void connected(Contexts *contexts, const char *measure, size_t size, size_t count) {
    Pair pair;
    uint64_t spent[2] = {0, 0};
    wires(&pair);
    connect_pair(&pair, contexts, NULL, spent);
    if (strncmp(measure, "memory-", 7) == 0) {
        memory(&pair, measure + 7);
        free_wires(&pair);
        return;
    }
    if (strcmp(measure, "seal") == 0) {
        spent[0] = seal(&pair, size, count);
    } else if (strcmp(measure, "open") == 0) {
        open_batches(&pair, size, WARM_UP);
        spent[0] = open_batches(&pair, size, count);
    } else if (strcmp(measure, "trip") == 0) {
        trips(&pair, size, WARM_UP);
        uint64_t start = now();
        trips(&pair, size, count);
        spent[0] = now() - start;
        check_opened(size, 1);
    } else if (strcmp(measure, "allocated") == 0) {
        trips(&pair, size, WARM_UP);
        uint64_t before = allocated;
        trips(&pair, size, count);
        spent[0] = allocated - before;
    } else {
        MUST(!"a measure");
    }
    printf("%llu\n", (unsigned long long)spent[0]);
    disconnect_pair(&pair, spent);
    free_wires(&pair);
}

int main(int argc, char **argv) {
    MUST(argc == 5);
    authority = argv[1], chain = argv[2], key = argv[3];
    transport = strcmp(argv[4], "pair") == 0 ? BIO_PAIR : WIRES;
    method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "wire");
    MUST(method && BIO_meth_set_write(method, wire_write) && BIO_meth_set_read(method, wire_read) &&
         BIO_meth_set_ctrl(method, wire_ctrl));
    for (size_t each = 0; each < sizeof plaintext; each++)
        plaintext[each] = (unsigned char)(each * 7 + each / 251);
    char measure[32], version[8], suite[32];
    size_t size, count;
    while (scanf("%31s %7s %31s %zu %zu", measure, version, suite, &size, &count) == 5) {
        Contexts contexts;
        int resumed = strcmp(measure, "resumed") == 0;
        MUST(size <= sizeof plaintext);
        if (!make_contexts(&contexts, version, suite, resumed)) {
            printf("none\n");
        } else if (strcmp(measure, "memory-released") == 0) {
            if (release_buffers(&contexts))
                connected(&contexts, measure, size, count);
            else
                printf("none\n");
        } else if (strcmp(measure, "full") == 0 || resumed) {
            handshakes(&contexts, resumed, count);
        } else if (strcmp(measure, "idle") == 0) {
            release_buffers(&contexts);
            idle(&contexts, count);
        } else {
            connected(&contexts, measure, size, count);
        }
        free_contexts(&contexts);
        MUST(fflush(stdout) == 0);
    }
    return 0;
}
