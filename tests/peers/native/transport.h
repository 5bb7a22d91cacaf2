/* What is below a connection of peer.c: the counting of what the allocator hands out, and a transport in
 * memory. */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <malloc.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH (1u << 18)    /* plaintext that is opened in one go */
#define WARM_UP 8           /* times an operation runs before it is timed */
#define BULK (1u << 20)     /* what a connection carries each way before its memory is looked at */

#define MUST(condition)                                                         \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);     \
            ERR_print_errors_fp(stderr);                                        \
            exit(1);                                                            \
        }                                                                       \
    } while (0)

/* ---- what the allocator has handed out (the linker puts these before the C library's) ---- */

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void __real_free(void *);

static int64_t live;        /* bytes in use, as the allocator rounds them up */
static uint64_t allocated;  /* bytes that were ever handed out */

static void *counted(void *memory) {
    live += (int64_t)malloc_usable_size(memory);
    allocated += malloc_usable_size(memory);
    return memory;
}

void *__wrap_malloc(size_t size) { return counted(__real_malloc(size)); }
void *__wrap_calloc(size_t number, size_t size) { return counted(__real_calloc(number, size)); }
void *__wrap_realloc(void *memory, size_t size) {
    live -= (int64_t)malloc_usable_size(memory);
    return counted(__real_realloc(memory, size));
}
void __wrap_free(void *memory) {
    live -= (int64_t)malloc_usable_size(memory);
    __real_free(memory);
}

/* ---- the transport: one direction is a buffer, or only counts what it is given ---- */

typedef struct {
    unsigned char *bytes;
    size_t head, tail;
    enum { KEEPS, COUNTS } kind;
} Wire;

#define WIRE (2 * BATCH)

typedef struct {
    Wire *from, *to;
} Ends;

static int wire_write(BIO *bio, const char *bytes, int length) {
    Wire *wire = ((Ends *)BIO_get_data(bio))->to;
    BIO_clear_retry_flags(bio);
    if (wire->kind == KEEPS) {
        MUST(wire->tail + (size_t)length <= WIRE);
        memcpy(wire->bytes + wire->tail, bytes, (size_t)length);
    }
    wire->tail += (size_t)length;
    return length;
}

static int wire_read(BIO *bio, char *into, int length) {
    Wire *wire = ((Ends *)BIO_get_data(bio))->from;
    BIO_clear_retry_flags(bio);
    size_t taken = wire->tail - wire->head;
    if (taken == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (taken > (size_t)length) taken = (size_t)length;
    memcpy(into, wire->bytes + wire->head, taken);
    wire->head += taken;
    if (wire->head == wire->tail) wire->head = wire->tail = 0;
    return (int)taken;
}

static long wire_ctrl(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;

#endif
