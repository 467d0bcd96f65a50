// The bytes come from Examples/Scenarios at compile time. Written by Examples/Scenarios/make-list.
#include "cbundledscenarios.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char text0[] = {
#embed "../../Examples/Scenarios/big-lock-against-level.json"
};
static const unsigned char text1[] = {
#embed "../../Examples/Scenarios/big-lock-against-plain-lock.json"
};
static const unsigned char text2[] = {
#embed "../../Examples/Scenarios/bound-and-never-back.json"
};
static const unsigned char text3[] = {
#embed "../../Examples/Scenarios/bound-stays-home.json"
};
static const unsigned char text4[] = {
#embed "../../Examples/Scenarios/bound-under-migration.json"
};
static const unsigned char text5[] = {
#embed "../../Examples/Scenarios/callout-freed.json"
};
static const unsigned char text6[] = {
#embed "../../Examples/Scenarios/callout-freed-unguarded.json"
};
static const unsigned char text7[] = {
#embed "../../Examples/Scenarios/callout-halted.json"
};
static const unsigned char text8[] = {
#embed "../../Examples/Scenarios/calls-for-each-other.json"
};
static const unsigned char text9[] = {
#embed "../../Examples/Scenarios/calls-from-below.json"
};
static const unsigned char text10[] = {
#embed "../../Examples/Scenarios/card-and-base.json"
};
static const unsigned char text11[] = {
#embed "../../Examples/Scenarios/cell-at-the-highest.json"
};
static const unsigned char text12[] = {
#embed "../../Examples/Scenarios/cell-from-above.json"
};
static const unsigned char text13[] = {
#embed "../../Examples/Scenarios/delegated-to-the-wrong-cpu.json"
};
static const unsigned char text14[] = {
#embed "../../Examples/Scenarios/drain-holding-nothing.json"
};
static const unsigned char text15[] = {
#embed "../../Examples/Scenarios/drain-while-holding.json"
};
static const unsigned char text16[] = {
#embed "../../Examples/Scenarios/handed-to-a-sleeper.json"
};
static const unsigned char text17[] = {
#embed "../../Examples/Scenarios/level-lock.json"
};
static const unsigned char text18[] = {
#embed "../../Examples/Scenarios/level-lock-ranks.json"
};
static const unsigned char text19[] = {
#embed "../../Examples/Scenarios/lock-in-a-higher-path.json"
};
static const unsigned char text20[] = {
#embed "../../Examples/Scenarios/lost-wake-up.json"
};
static const unsigned char text21[] = {
#embed "../../Examples/Scenarios/plain-lock-across-a-raise.json"
};
static const unsigned char text22[] = {
#embed "../../Examples/Scenarios/protocol-stack.json"
};
static const unsigned char text23[] = {
#embed "../../Examples/Scenarios/raised-read.json"
};
static const unsigned char text24[] = {
#embed "../../Examples/Scenarios/remembered-wake-up.json"
};
static const unsigned char text25[] = {
#embed "../../Examples/Scenarios/scheduled-downwards.json"
};
static const unsigned char text26[] = {
#embed "../../Examples/Scenarios/slow-timeout-raises.json"
};
static const unsigned char text27[] = {
#embed "../../Examples/Scenarios/smallest.json"
};
static const unsigned char text28[] = {
#embed "../../Examples/Scenarios/stale-after-a-wait.json"
};
static const unsigned char text29[] = {
#embed "../../Examples/Scenarios/timeout-raises.json"
};
static const unsigned char text30[] = {
#embed "../../Examples/Scenarios/timer-and-work.json"
};
static const unsigned char text31[] = {
#embed "../../Examples/Scenarios/timer-and-work-cancelled.json"
};
static const unsigned char text32[] = {
#embed "../../Examples/Scenarios/unraised-read.json"
};
static const unsigned char text33[] = {
#embed "../../Examples/Scenarios/way-in-changes.json"
};

static const struct cbundledscenarios_entry entries[] = {
  {"big-lock-against-level", text0, sizeof text0},
  {"big-lock-against-plain-lock", text1, sizeof text1},
  {"bound-and-never-back", text2, sizeof text2},
  {"bound-stays-home", text3, sizeof text3},
  {"bound-under-migration", text4, sizeof text4},
  {"callout-freed", text5, sizeof text5},
  {"callout-freed-unguarded", text6, sizeof text6},
  {"callout-halted", text7, sizeof text7},
  {"calls-for-each-other", text8, sizeof text8},
  {"calls-from-below", text9, sizeof text9},
  {"card-and-base", text10, sizeof text10},
  {"cell-at-the-highest", text11, sizeof text11},
  {"cell-from-above", text12, sizeof text12},
  {"delegated-to-the-wrong-cpu", text13, sizeof text13},
  {"drain-holding-nothing", text14, sizeof text14},
  {"drain-while-holding", text15, sizeof text15},
  {"handed-to-a-sleeper", text16, sizeof text16},
  {"level-lock", text17, sizeof text17},
  {"level-lock-ranks", text18, sizeof text18},
  {"lock-in-a-higher-path", text19, sizeof text19},
  {"lost-wake-up", text20, sizeof text20},
  {"plain-lock-across-a-raise", text21, sizeof text21},
  {"protocol-stack", text22, sizeof text22},
  {"raised-read", text23, sizeof text23},
  {"remembered-wake-up", text24, sizeof text24},
  {"scheduled-downwards", text25, sizeof text25},
  {"slow-timeout-raises", text26, sizeof text26},
  {"smallest", text27, sizeof text27},
  {"stale-after-a-wait", text28, sizeof text28},
  {"timeout-raises", text29, sizeof text29},
  {"timer-and-work", text30, sizeof text30},
  {"timer-and-work-cancelled", text31, sizeof text31},
  {"unraised-read", text32, sizeof text32},
  {"way-in-changes", text33, sizeof text33},
};

size_t cbundledscenarios_count(void) { return sizeof entries / sizeof entries[0]; }

struct cbundledscenarios_entry cbundledscenarios_at(size_t index) { return entries[index]; }
