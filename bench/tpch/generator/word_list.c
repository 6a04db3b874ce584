/*
 * word_list.c — the words of the closed lists.
 */
#include "bench/tpch/generator/word_list.h"

#define WORD(text) {text, sizeof(text) - 1}
#define WORD_LIST(name) \
    const WordList word_list_##name = {name, sizeof(name) / sizeof(name[0])}

static const ListWord colours[] = {
    WORD("almond"), WORD("antique"), WORD("aquamarine"), WORD("azure"), WORD("beige"),
    WORD("bisque"), WORD("black"), WORD("blanched"), WORD("blue"), WORD("blush"), WORD("brown"),
    WORD("burlywood"), WORD("burnished"), WORD("chartreuse"), WORD("chiffon"), WORD("chocolate"),
    WORD("coral"), WORD("cornflower"), WORD("cornsilk"), WORD("cream"), WORD("cyan"),
    WORD("dark"), WORD("deep"), WORD("dim"), WORD("dodger"), WORD("drab"), WORD("firebrick"),
    WORD("floral"), WORD("forest"), WORD("frosted"), WORD("gainsboro"), WORD("ghost"),
    WORD("goldenrod"), WORD("green"), WORD("grey"), WORD("honeydew"), WORD("hot"), WORD("indian"),
    WORD("ivory"), WORD("khaki"), WORD("lace"), WORD("lavender"), WORD("lawn"), WORD("lemon"),
    WORD("light"), WORD("lime"), WORD("linen"), WORD("magenta"), WORD("maroon"), WORD("medium"),
    WORD("metallic"), WORD("midnight"), WORD("mint"), WORD("misty"), WORD("moccasin"),
    WORD("navajo"), WORD("navy"), WORD("olive"), WORD("orange"), WORD("orchid"), WORD("pale"),
    WORD("papaya"), WORD("peach"), WORD("peru"), WORD("pink"), WORD("plum"), WORD("powder"),
    WORD("puff"), WORD("purple"), WORD("red"), WORD("rose"), WORD("rosy"), WORD("royal"),
    WORD("saddle"), WORD("salmon"), WORD("sandy"), WORD("seashell"), WORD("sienna"), WORD("sky"),
    WORD("slate"), WORD("smoke"), WORD("snow"), WORD("spring"), WORD("steel"), WORD("tan"),
    WORD("thistle"), WORD("tomato"), WORD("turquoise"), WORD("violet"), WORD("wheat"),
    WORD("white"), WORD("yellow"),
};
WORD_LIST(colours);

static const ListWord type_sizes[] = {
    WORD("STANDARD"), WORD("SMALL"), WORD("MEDIUM"), WORD("LARGE"), WORD("ECONOMY"),
    WORD("PROMO"),
};
WORD_LIST(type_sizes);

static const ListWord type_finishes[] = {
    WORD("ANODIZED"), WORD("BURNISHED"), WORD("PLATED"), WORD("POLISHED"), WORD("BRUSHED"),
};
WORD_LIST(type_finishes);

static const ListWord type_metals[] = {
    WORD("TIN"), WORD("NICKEL"), WORD("BRASS"), WORD("STEEL"), WORD("COPPER"),
};
WORD_LIST(type_metals);

static const ListWord container_sizes[] = {
    WORD("SM"), WORD("LG"), WORD("MED"), WORD("JUMBO"), WORD("WRAP"),
};
WORD_LIST(container_sizes);

static const ListWord container_kinds[] = {
    WORD("CASE"), WORD("BOX"), WORD("BAG"), WORD("JAR"), WORD("PKG"), WORD("PACK"), WORD("CAN"),
    WORD("DRUM"),
};
WORD_LIST(container_kinds);

static const ListWord segments[] = {
    WORD("AUTOMOBILE"), WORD("BUILDING"), WORD("FURNITURE"), WORD("MACHINERY"), WORD("HOUSEHOLD"),
};
WORD_LIST(segments);

static const ListWord priorities[] = {
    WORD("1-URGENT"), WORD("2-HIGH"), WORD("3-MEDIUM"), WORD("4-NOT SPECIFIED"), WORD("5-LOW"),
};
WORD_LIST(priorities);

static const ListWord instructions[] = {
    WORD("DELIVER IN PERSON"), WORD("COLLECT COD"), WORD("NONE"), WORD("TAKE BACK RETURN"),
};
WORD_LIST(instructions);

static const ListWord modes[] = {
    WORD("REG AIR"), WORD("AIR"), WORD("RAIL"), WORD("SHIP"), WORD("TRUCK"), WORD("MAIL"),
    WORD("FOB"),
};
WORD_LIST(modes);

static const ListWord regions[] = {
    WORD("AFRICA"), WORD("AMERICA"), WORD("ASIA"), WORD("EUROPE"), WORD("MIDDLE EAST"),
};
WORD_LIST(regions);

static const ListWord nations[] = {
    WORD("ALGERIA"), WORD("ARGENTINA"), WORD("BRAZIL"), WORD("CANADA"), WORD("EGYPT"),
    WORD("ETHIOPIA"), WORD("FRANCE"), WORD("GERMANY"), WORD("INDIA"), WORD("INDONESIA"),
    WORD("IRAN"), WORD("IRAQ"), WORD("JAPAN"), WORD("JORDAN"), WORD("KENYA"), WORD("MOROCCO"),
    WORD("MOZAMBIQUE"), WORD("PERU"), WORD("CHINA"), WORD("ROMANIA"), WORD("SAUDI ARABIA"),
    WORD("VIETNAM"), WORD("RUSSIA"), WORD("UNITED KINGDOM"), WORD("UNITED STATES"),
};
WORD_LIST(nations);

const uint8_t word_list_nation_regions[25] = {
    0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1,
};
