/* symbol_table.c — see symbol_table.h. */
#include "storage/encoding/symbol_table.h"

#include <stdlib.h>
#include <string.h>
#include "base/heap.h"

#define TRAIN_ROUNDS 5
#define HASH_SLOTS 2048u
#define CODE_SPACE 512u      /* while learning: 0..255 single bytes, 256.. symbols */
#define CANDIDATES_MAX 8192u

/* A symbol as the encoder compares it: bytes beyond the length are masked away. */
typedef struct Symbol {
    uint64_t bytes;
    uint64_t mask;
    uint16_t length;
    uint16_t code;
} Symbol;

/* Longest match in two look-ups: a hash of the first three bytes finds symbols of three bytes and
 * more (one per slot), a table over the first two bytes the rest. */
struct SymbolTable {
    Symbol slots[HASH_SLOTS];
    uint16_t shorts[65536]; /* code | length << 12; code 256 + byte where only the byte matches … */
    SymbolDecoder decoder;  /* … and bit 11 marks an escape */
};

#define SHORT_ESCAPE 0x800u
#define SHORT_CODE 0x1ffu
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
    memset(table->slots, 0, sizeof table->slots);
    for (uint32_t i = 0; i < HASH_SLOTS; i++) {
        table->slots[i].mask = 0;
        table->slots[i].bytes = 1; // never equal to a masked word
    }
    for (uint32_t i = 0; i < 65536; i++) {
        table->shorts[i] = (uint16_t)(1u << SHORT_LENGTH_SHIFT | SHORT_ESCAPE | (i & 0xff));
    }
    memset(&table->decoder, 0, sizeof table->decoder);
}

/* False when the slot is taken: the earlier, better symbol stays. */
static bool table_add(SymbolTable *table, uint64_t bytes, uint32_t length)
{
    const uint32_t code = table->decoder.count;
    if (length >= 3) {
        Symbol *slot = &table->slots[hash_three(bytes)];
        if (slot->length != 0) {
            return false;
        }
        *slot = (Symbol){.bytes = bytes,
                         .mask = length_mask(length),
                         .length = (uint16_t)length,
                         .code = (uint16_t)code};
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
    return true;
}

/* The longest symbol at `word`, of which `left` bytes are text: *code is the symbol, or 256 + byte
 * with *is_escape. */
static inline uint32_t table_match(const SymbolTable *table, uint64_t word, size_t left,
                                   uint32_t *code, bool *is_escape)
{
    const Symbol *slot = &table->slots[hash_three(word)];
    if ((word & slot->mask) == slot->bytes && slot->length <= left) {
        *code = slot->code;
        *is_escape = false;
        return slot->length;
    }
    uint32_t entry = table->shorts[word & 0xffff];
    if (entry >> SHORT_LENGTH_SHIFT > left) { // two bytes wanted, one there: the byte alone
        for (uint32_t i = 0; i < table->decoder.count; i++) {
            if (table->decoder.lengths[i] == 1 && table->decoder.symbols[i] == (word & 0xff)) {
                *code = i;
                *is_escape = false;
                return 1;
            }
        }
        entry = 1u << SHORT_LENGTH_SHIFT | SHORT_ESCAPE | (uint32_t)(word & 0xff);
    }
    *code = entry & 0xff;
    *is_escape = (entry & SHORT_ESCAPE) != 0;
    return entry >> SHORT_LENGTH_SHIFT;
}

size_t symbol_table_encode(const SymbolTable *table, const char *text, size_t bytes, uint8_t *target)
{
    uint8_t *out = target;
    const char *end = text + bytes;
    while (text + 8 <= end) { // no symbol can reach past the end
        const uint64_t word = load_word(text);
        const Symbol *slot = &table->slots[hash_three(word)];
        const uint32_t entry = table->shorts[word & 0xffff];
        const bool is_long = (word & slot->mask) == slot->bytes;
        if (is_long) {
            *out++ = (uint8_t)slot->code;
            text += slot->length;
            continue;
        }
        // An escape writes 255 and the byte, a code itself; both writes happen, one may not count.
        const bool is_escape = (entry & SHORT_ESCAPE) != 0;
        out[0] = is_escape ? SYMBOL_ESCAPE : (uint8_t)entry;
        out[1] = (uint8_t)word;
        out += 1 + is_escape;
        text += entry >> SHORT_LENGTH_SHIFT;
    }
    while (text < end) {
        uint32_t code;
        bool is_escape;
        const size_t left = (size_t)(end - text);
        const uint64_t word = load_word(text) & length_mask(left);
        const uint32_t length = table_match(table, word, left, &code, &is_escape);
        out[0] = is_escape ? SYMBOL_ESCAPE : (uint8_t)code;
        out[1] = (uint8_t)word;
        out += 1 + is_escape;
        text += length;
    }
    return (size_t)(out - target);
}

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
        uint32_t code;
        bool is_escape;
        char padded[8] = {0};
        const size_t left = view->length - i;
        memcpy(padded, text + i, left < 8 ? left : 8);
        const uint32_t length =
            table_match(trainer->table, load_word(padded), left, &code, &is_escape);
        const uint32_t current = is_escape ? code : 256 + code;
        trainer->single[current]++;
        if (length > 1) { // the first byte stays a candidate of its own
            trainer->single[(uint8_t)text[i]]++;
        }
        if (previous < CODE_SPACE && trainer->pair[previous][current] < UINT16_MAX) {
            trainer->pair[previous][current]++;
        }
        previous = current;
        i += length;
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

bool symbol_decode(const SymbolDecoder *decoder, const uint8_t *codes, size_t code_bytes, char *text,
                   size_t text_bytes)
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
