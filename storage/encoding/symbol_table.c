/* symbol_table.c — see symbol_table.h. */
#include "storage/encoding/symbol_table.h"

#include <stdlib.h>
#include <string.h>
#include "base/heap.h"

#define TRAIN_ROUNDS 5
#define HASH_SLOTS 2048u
#define CODE_SPACE 512u /* while learning: 0..255 single bytes, 256.. symbols */
#define CANDIDATES_MAX 8192u

/* A symbol as the encoder compares it: bytes beyond its length are shifted out of a mask. */
typedef struct Symbol {
    uint64_t bytes;
    uint32_t shift;  /* 64 - 8 * length */
    uint32_t packed; /* as in `shorts`; 0: a free slot */
} Symbol;

/* Longest match in two look-ups: a hash of the first three bytes finds symbols of three bytes and
 * more (one per slot), a table over the first two bytes the rest. No symbol of several bytes holds
 * a zero byte: a word whose bytes behind the text are cleared never matches too much. */
struct SymbolTable {
    Symbol slots[HASH_SLOTS];
    uint16_t shorts[65536]; /* length << 12 | SHORT_ESCAPE, when no symbol matches | code */
    SymbolDecoder decoder;
};

#define SHORT_ESCAPE 0x800u
#define SHORT_LENGTH_SHIFT 12

static inline uint64_t load_word(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return word;
}

static inline uint64_t length_mask(size_t bytes)
{
    return bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * bytes)) - 1;
}

static inline uint32_t hash_three(uint64_t word)
{
    const uint32_t key = (uint32_t)(word & 0xffffff);
    return ((key * 2971215073u) ^ (key >> 11)) % HASH_SLOTS;
}

static void table_clear(SymbolTable *table)
{
    for (uint32_t i = 0; i < HASH_SLOTS; i++) {
        table->slots[i] = (Symbol){.bytes = UINT64_MAX, .shift = 56}; // one byte is never that
    }
    for (uint32_t i = 0; i < 65536; i++) {
        table->shorts[i] = (uint16_t)(1u << SHORT_LENGTH_SHIFT | SHORT_ESCAPE | (i & 0xff));
    }
    memset(&table->decoder, 0, sizeof table->decoder);
}

static bool has_zero_byte(uint64_t bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        if ((bytes >> (8 * i) & 0xff) == 0) {
            return true;
        }
    }
    return false;
}

/* Not added when the slot is taken: the earlier, better symbol stays. */
static void table_add(SymbolTable *table, uint64_t bytes, uint32_t length)
{
    const uint32_t code = table->decoder.count;
    if (length > 1 && has_zero_byte(bytes, length)) {
        return;
    }
    if (length >= 3) {
        Symbol *slot = &table->slots[hash_three(bytes)];
        if (slot->packed != 0) {
            return;
        }
        *slot = (Symbol){.bytes = bytes,
                         .shift = 64 - 8 * length,
                         .packed = length << SHORT_LENGTH_SHIFT | code};
    } else if (length == 2) {
        table->shorts[bytes & 0xffff] = (uint16_t)(2u << SHORT_LENGTH_SHIFT | code);
    } else {
        for (uint32_t second = 0; second < 256; second++) {
            uint16_t *entry = &table->shorts[(bytes & 0xff) | second << 8];
            if (*entry >> SHORT_LENGTH_SHIFT == 1) {
                *entry = (uint16_t)(1u << SHORT_LENGTH_SHIFT | code);
            }
        }
    }
    table->decoder.symbols[code] = bytes;
    table->decoder.lengths[code] = (uint8_t)length;
    table->decoder.count++;
}

/* The longest symbol at the start of `word`, whose bytes behind the text are zero: packed as in
 * `shorts`. Without branches: which of the two tables matches is as good as random. */
static inline uint32_t table_match(const SymbolTable *table, uint64_t word)
{
    const Symbol *slot = &table->slots[hash_three(word)];
    const uint32_t is_long = (word & (UINT64_MAX >> slot->shift)) == slot->bytes;
    const uint32_t entry = table->shorts[word & 0xffff];
    return entry ^ ((entry ^ slot->packed) & (0 - is_long));
}

/* An escape writes 255 and the byte, a code itself; both writes happen, one may not count. */
static inline uint8_t *put_match(uint32_t match, uint64_t word, uint8_t *out)
{
    const uint32_t is_escape = match / SHORT_ESCAPE & 1;
    out[0] = (uint8_t)(match | (0 - is_escape));
    out[1] = (uint8_t)word;
    return out + 1 + is_escape;
}

/* The next eight bytes of a text with at least one left, zeroes behind its end. */
static inline uint64_t text_word(const char *text, const char *end)
{
    const size_t left = (size_t)(end - text);
    return load_word(text) & (UINT64_MAX >> (64 - 8 * (left < 8 ? left : 8)));
}

size_t symbol_table_encode(const SymbolTable *table, const char *text, size_t bytes,
                           uint8_t *target)
{
    uint8_t *out = target;
    const char *end = text + bytes;
    while (text < end) {
        const uint64_t word = text_word(text, end);
        const uint32_t match = table_match(table, word);
        out = put_match(match, word, out);
        text += match >> SHORT_LENGTH_SHIFT;
    }
    return (size_t)(out - target);
}

/* One of the strands of symbol_table_encode_pieces: some consecutive pieces. */
typedef struct Strand {
    const char *text, *end; /* of the present piece */
    uint8_t *out;
    uint32_t piece, piece_end;
} Strand;

/* Symbols that surely fit into what is left of the piece. */
static inline size_t strand_room(const Strand *strand)
{
    return (size_t)(strand->end - strand->text) / SYMBOL_BYTES_MAX;
}

static inline __attribute__((always_inline)) void strand_step(const SymbolTable *table,
                                                              Strand *strand)
{
    const uint64_t word = load_word(strand->text);
    const uint32_t match = table_match(table, word);
    strand->out = put_match(match, word, strand->out);
    strand->text += match >> SHORT_LENGTH_SHIFT;
}

/* Finishes pieces that have no room for a whole word; false when no piece is left. */
static bool strand_advance(const SymbolTable *table, const char *text, const uint32_t *starts,
                           const uint8_t *target, Strand *strand, uint32_t *ends)
{
    while (strand->piece < strand->piece_end && strand_room(strand) == 0) {
        strand->out += symbol_table_encode(table, strand->text,
                                           (size_t)(strand->end - strand->text), strand->out);
        ends[strand->piece++] = (uint32_t)(strand->out - target);
        if (strand->piece < strand->piece_end) {
            strand->text = text + starts[strand->piece];
            strand->end = text + starts[strand->piece + 1];
        }
    }
    return strand->piece < strand->piece_end;
}

/* The look-ups of one text depend on each other; those of four texts run side by side. */
void symbol_table_encode_pieces(const SymbolTable *table, const char *text, const uint32_t *starts,
                                uint32_t piece_count, uint8_t *const targets[SYMBOL_STRANDS],
                                uint32_t *ends)
{
    Strand strands[SYMBOL_STRANDS];
    bool is_running = true;
    for (uint32_t s = 0; s < SYMBOL_STRANDS; s++) {
        const uint32_t piece = symbol_strand_start(piece_count, s);
        strands[s] = (Strand){.text = text + starts[piece],
                              .end = text + starts[piece + (piece < piece_count)],
                              .out = targets[s],
                              .piece = piece,
                              .piece_end = symbol_strand_start(piece_count, s + 1)};
        is_running =
            strand_advance(table, text, starts, targets[s], &strands[s], ends) && is_running;
    }
    while (is_running) {
        size_t steps = SIZE_MAX;
        for (uint32_t s = 0; s < SYMBOL_STRANDS; s++) {
            const size_t room = strand_room(&strands[s]);
            steps = room < steps ? room : steps;
        }
        Strand a = strands[0], b = strands[1], c = strands[2], d = strands[3];
        for (size_t i = 0; i < steps; i++) {
            strand_step(table, &a);
            strand_step(table, &b);
            strand_step(table, &c);
            strand_step(table, &d);
        }
        strands[0] = a;
        strands[1] = b;
        strands[2] = c;
        strands[3] = d;
        for (uint32_t s = 0; s < SYMBOL_STRANDS; s++) {
            is_running =
                strand_advance(table, text, starts, targets[s], &strands[s], ends) && is_running;
        }
    }
    for (uint32_t s = 0; s < SYMBOL_STRANDS; s++) { // the rest of the longer ones
        while (strand_advance(table, text, starts, targets[s], &strands[s], ends)) {
            strand_step(table, &strands[s]);
        }
    }
}
static_assert(SYMBOL_STRANDS == 4, "the loop above names them");

/* Learning. */
typedef struct Candidate {
    uint64_t bytes;
    uint32_t length;
    uint32_t gain;
} Candidate;

typedef struct Trainer {
    SymbolTable *table;
    uint32_t single[CODE_SPACE];
    uint16_t pair[CODE_SPACE][CODE_SPACE];
    Candidate candidates[CANDIDATES_MAX];
    uint32_t candidate_count;
} Trainer;

static void code_symbol(const Trainer *trainer, uint32_t code, uint64_t *bytes, uint32_t *length)
{
    if (code < 256) {
        *bytes = code;
        *length = 1;
    } else {
        *bytes = trainer->table->decoder.symbols[code - 256];
        *length = trainer->table->decoder.lengths[code - 256];
    }
}

static void count_text(Trainer *trainer, const TextView *view)
{
    const char *text = text_view_data(view);
    uint32_t previous = CODE_SPACE;
    for (size_t i = 0; i < view->length;) {
        char padded[8] = {0};
        const size_t left = view->length - i;
        memcpy(padded, text + i, left < 8 ? left : 8);
        const uint32_t match = table_match(trainer->table, load_word(padded));
        const uint32_t code = match & 0xff;
        const uint32_t current = (match & SHORT_ESCAPE) != 0 ? code : 256 + code;
        trainer->single[current]++;
        if (match >> SHORT_LENGTH_SHIFT > 1) { // the first byte stays a candidate of its own
            trainer->single[(uint8_t)text[i]]++;
        }
        if (previous < CODE_SPACE && trainer->pair[previous][current] < UINT16_MAX) {
            trainer->pair[previous][current]++;
        }
        previous = current;
        i += match >> SHORT_LENGTH_SHIFT;
    }
}

static void add_candidate(Trainer *trainer, uint64_t bytes, uint32_t length, uint32_t count)
{
    if (trainer->candidate_count == CANDIDATES_MAX) {
        return;
    }
    // Single bytes avoid escapes, which cost two: worth more than their length says.
    const uint32_t gain = count * (length == 1 ? 8 : length);
    trainer->candidates[trainer->candidate_count++] =
        (Candidate){.bytes = bytes, .length = length, .gain = gain};
}

static int compare_bytes(const void *left, const void *right)
{
    const Candidate *a = left, *b = right;
    if (a->bytes != b->bytes) {
        return a->bytes < b->bytes ? -1 : 1;
    }
    return a->length < b->length ? -1 : a->length > b->length;
}

static int compare_gain(const void *left, const void *right)
{
    const Candidate *a = left, *b = right;
    if (a->gain != b->gain) {
        return a->gain > b->gain ? -1 : 1;
    }
    return compare_bytes(left, right);
}

static void collect_candidates(Trainer *trainer, uint32_t count_min)
{
    trainer->candidate_count = 0;
    const uint32_t codes = 256 + trainer->table->decoder.count;
    for (uint32_t i = 0; i < codes; i++) {
        uint64_t bytes;
        uint32_t length;
        if (trainer->single[i] == 0) {
            continue;
        }
        code_symbol(trainer, i, &bytes, &length);
        if (trainer->single[i] >= count_min || length == 1) {
            add_candidate(trainer, bytes, length, trainer->single[i]);
        }
        for (uint32_t j = 0; length < SYMBOL_BYTES_MAX && j < codes; j++) {
            uint64_t other;
            uint32_t other_length;
            if (trainer->pair[i][j] < count_min) {
                continue;
            }
            code_symbol(trainer, j, &other, &other_length);
            const uint32_t room = SYMBOL_BYTES_MAX - length;
            const uint32_t taken = other_length < room ? other_length : room;
            add_candidate(trainer, bytes | (other & length_mask(taken)) << (8 * length),
                          length + taken, trainer->pair[i][j]);
        }
    }
}

/* Equal strings reached along different ways count together; the best 255 become the table. */
static void build_table(Trainer *trainer)
{
    Candidate *candidates = trainer->candidates;
    qsort(candidates, trainer->candidate_count, sizeof *candidates, compare_bytes);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < trainer->candidate_count; i++) {
        if (kept > 0 && compare_bytes(&candidates[kept - 1], &candidates[i]) == 0) {
            candidates[kept - 1].gain += candidates[i].gain;
        } else {
            candidates[kept++] = candidates[i];
        }
    }
    qsort(candidates, kept, sizeof *candidates, compare_gain);
    table_clear(trainer->table);
    for (uint32_t i = 0; i < kept && trainer->table->decoder.count < SYMBOLS_MAX; i++) {
        table_add(trainer->table, candidates[i].bytes, candidates[i].length);
    }
}

SymbolTable *symbol_table_train(const TextView *texts, uint32_t count)
{
    SymbolTable *table = heap_alloc(sizeof *table);
    Trainer *trainer = heap_alloc(sizeof *trainer);
    if (table == NULL || trainer == NULL) {
        heap_free(table);
        heap_free(trainer);
        return NULL;
    }
    trainer->table = table;
    table_clear(table);
    for (uint32_t round = 1; round <= TRAIN_ROUNDS; round++) {
        memset(trainer->single, 0, sizeof trainer->single);
        memset(trainer->pair, 0, sizeof trainer->pair);
        // Early rounds see less of the sample: their symbols are only steps towards longer ones.
        const uint32_t seen = round == TRAIN_ROUNDS ? count : count * round / TRAIN_ROUNDS;
        for (uint32_t i = 0; i < (seen > 0 ? seen : count); i++) {
            count_text(trainer, &texts[i]);
        }
        collect_candidates(trainer, round == TRAIN_ROUNDS ? 3 : 2);
        build_table(trainer);
    }
    heap_free(trainer);
    return table;
}

void symbol_table_destroy(SymbolTable *table)
{
    heap_free(table);
}

const SymbolDecoder *symbol_table_decoder(const SymbolTable *table)
{
    return &table->decoder;
}

bool symbol_decode(const SymbolDecoder *decoder, const uint8_t *codes, size_t code_bytes,
                   char *text, size_t text_bytes)
{
    const uint8_t *end = codes + code_bytes;
    const char *text_end = text + text_bytes;
    // Four codes at a time while none is an escape and there is room for the longest.
    while (end - codes >= 4 && text_end - text >= 4 * (ptrdiff_t)SYMBOL_BYTES_MAX) {
        uint32_t four;
        memcpy(&four, codes, sizeof four);
        // A byte is 255 when its complement is zero.
        if (((~four - 0x01010101u) & four & 0x80808080u) != 0) {
            if (codes[0] == SYMBOL_ESCAPE) {
                *text++ = (char)codes[1];
                codes += 2;
                continue;
            }
            memcpy(text, &decoder->symbols[codes[0]], SYMBOL_BYTES_MAX);
            text += decoder->lengths[codes[0]];
            codes++;
            continue;
        }
        for (int i = 0; i < 4; i++) {
            const uint32_t code = (four >> (8 * i)) & 0xff;
            memcpy(text, &decoder->symbols[code], SYMBOL_BYTES_MAX);
            text += decoder->lengths[code];
        }
        codes += 4;
    }
    while (codes < end) {
        if (text > text_end) {
            return false;
        }
        if (*codes == SYMBOL_ESCAPE) {
            if (codes + 1 == end) {
                return false;
            }
            *text++ = (char)codes[1];
            codes += 2;
        } else {
            memcpy(text, &decoder->symbols[*codes], SYMBOL_BYTES_MAX);
            text += decoder->lengths[*codes];
            codes++;
        }
    }
    return text == text_end;
}
