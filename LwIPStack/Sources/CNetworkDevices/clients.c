// HTTP clients at the other end of a wire in memory: TCP by hand, no system call, a request in flight on each connection.
//
// Law: one caller at a time. A connection has sent `sequence` bytes' worth, of which the last request is repeated if nothing comes for a while;
// what comes out of order is answered by what was expected. Checksums of what comes are not verified, as a network card would have
// done it; those of what goes are right, for lwIP verifies them.

#define _GNU_SOURCE
#include "cnetworkdevices.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, head_length = 14 + 20 + 20, first_port = 10000 };
enum { closed, connecting, waiting };

typedef struct client {
  uint32_t sequence, acknowledged;  // the next byte to send before the request in flight; the next byte that is expected
  uint32_t got, wanted;             // of the answer; 0: its length is not known yet
  uint64_t sent_at;
  uint8_t state;
  char head[512];  // of an answer whose head has not come whole
} client;

struct netdev_clients {
  netdev_frame emit;
  void *context;
  uint8_t mac[6], stack_mac[6];
  uint32_t address, stack_address;  // network order
  uint16_t port;
  int count;
  char request[256];
  uint32_t request_length, request_sum;
  netdev_client_counts counts;
  client clients[];
};

static uint32_t sum(const void *bytes, uint32_t length) {
  const uint8_t *at = bytes;
  uint64_t total = 0;
  for (; length > 1; at += 2, length -= 2) {
    uint16_t word;
    memcpy(&word, at, 2);
    total += word;
  }
  if (length > 0) total += htons((uint16_t)(*at << 8));
  while (total >> 16) total = (total & 0xffff) + (total >> 16);
  return (uint32_t)total;
}
static uint16_t fold(uint64_t total) {
  while (total >> 16) total = (total & 0xffff) + (total >> 16);
  return (uint16_t)~total;
}

static void put16(uint8_t *at, uint16_t value) {
  value = htons(value);
  memcpy(at, &value, 2);
}
static void put32(uint8_t *at, uint32_t value) {
  value = htonl(value);
  memcpy(at, &value, 4);
}
static uint32_t get32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return ntohl(value);
}
static uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

netdev_clients *netdev_clients_open(int count, uint16_t port, const char *path, netdev_frame emit, void *context) {
  netdev_clients *made = calloc(1, sizeof *made + (size_t)count * sizeof(client));
  if (made == NULL) return NULL;
  made->emit = emit;
  made->context = context;
  made->count = count;
  made->port = port;
  memcpy(made->mac, (uint8_t[]){2, 'S', 'I', 0, 1, 1}, 6);
  memcpy(made->stack_mac, (uint8_t[]){2, 'S', 'I', 0, 1, 2}, 6);
  made->address = inet_addr("10.1.0.1");
  made->stack_address = inet_addr("10.1.0.2");
  const char *parts[] = {"GET ", path, " HTTP/1.1\r\nHost: 10.1.0.2\r\n\r\n"};
  for (int index = 0; index < 3; index++) {
    size_t length = strlen(parts[index]);
    if (made->request_length + length > sizeof made->request) {
      free(made);
      return NULL;
    }
    memcpy(made->request + made->request_length, parts[index], length);
    made->request_length += (uint32_t)length;
  }
  made->request_sum = sum(made->request, made->request_length);
  return made;
}
void netdev_clients_close(netdev_clients *clients) { free(clients); }
const netdev_client_counts *netdev_clients_count(const netdev_clients *clients) { return &clients->counts; }

static void send_segment(netdev_clients *all, int index, uint8_t flags, bool has_request, bool has_mss) {
  client *from = &all->clients[index];
  uint8_t frame[head_length + 4 + sizeof all->request];
  uint32_t options = has_mss ? 4 : 0, payload = has_request ? all->request_length : 0;
  uint32_t length = 20 + options + payload;
  memcpy(frame, all->stack_mac, 6);
  memcpy(frame + 6, all->mac, 6);
  put16(frame + 12, 0x0800);
  uint8_t *ip = frame + 14, *tcp = ip + 20;
  memset(ip, 0, 20);
  ip[0] = 0x45;
  put16(ip + 2, (uint16_t)(20 + length));
  ip[6] = 0x40;  // not to be fragmented
  ip[8] = 64;
  ip[9] = 6;
  memcpy(ip + 12, &all->address, 4);
  memcpy(ip + 16, &all->stack_address, 4);
  uint16_t check = fold(sum(ip, 20));
  memcpy(ip + 10, &check, 2);
  put16(tcp, (uint16_t)(first_port + index));
  put16(tcp + 2, all->port);
  put32(tcp + 4, from->sequence);
  put32(tcp + 8, from->acknowledged);
  tcp[12] = (uint8_t)((20 + options) / 4 << 4);
  tcp[13] = flags;
  put16(tcp + 14, 0xffff);
  put32(tcp + 16, 0);
  if (has_mss) put32(tcp + 20, 0x020405b4);
  if (has_request) memcpy(tcp + 20, all->request, payload);
  uint64_t total = (uint64_t)sum(ip + 12, 8) + htons(6) + htons((uint16_t)length) + sum(tcp, 20 + options);
  if (has_request) total += all->request_sum;
  check = fold(total);
  memcpy(tcp + 16, &check, 2);
  all->emit(all->context, frame, 14 + 20 + length);
}

static void connect_client(netdev_clients *all, int index, uint64_t now) {
  client *to = &all->clients[index];
  // Not that of the connection before it, whatever became of that.
  to->sequence = (uint32_t)(now >> 6) + (uint32_t)index * 65537u;
  to->acknowledged = 0;
  to->state = connecting;
  to->sent_at = now;
  send_segment(all, index, syn, false, true);
}
void netdev_clients_start(netdev_clients *all, uint64_t now) {
  // Asked first, so that the stack knows who we are: while it asks for us itself it keeps few of its answers.
  uint8_t frame[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  memcpy(frame + 6, all->mac, 6);
  memcpy(frame + 12, (uint8_t[]){0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1}, 10);
  memcpy(frame + 22, all->mac, 6);
  memcpy(frame + 28, &all->address, 4);
  memcpy(frame + 38, &all->stack_address, 4);
  all->emit(all->context, frame, sizeof frame);
  for (int index = 0; index < all->count; index++) connect_client(all, index, now);
}

static void ask(netdev_clients *all, int index, uint64_t now) {
  client *from = &all->clients[index];
  from->got = from->wanted = 0;
  from->sent_at = now;
  send_segment(all, index, psh | ack, true, false);
}

void netdev_clients_tick(netdev_clients *all, uint64_t now, uint64_t patience) {
  for (int index = 0; index < all->count; index++) {
    client *at = &all->clients[index];
    if (now - at->sent_at < patience) continue;
    all->counts.repeated++;
    if (at->state == waiting && at->got == 0) {
      // The time stays: the wait belongs to the answer.
      send_segment(all, index, psh | ack, true, false);
    } else if (at->state == waiting) {
      send_segment(all, index, ack, false, false);
    } else if (at->state == connecting) {
      // With the same number: the stack may have taken the first one.
      send_segment(all, index, syn, false, true);
    } else {
      connect_client(all, index, now);
    }
  }
}

// MARK: The answers' times

// Eight steps to each doubling.
static int bucket(uint64_t ns) {
  if (ns < 8) return (int)ns;
  int top = 63 - __builtin_clzll(ns);
  int at = (top - 2) * 8 + (int)(ns >> (top - 3) & 7);
  return at < NETDEV_BUCKETS ? at : NETDEV_BUCKETS - 1;
}
uint64_t netdev_bucket_limit(int at) {
  if (at < 8) return (uint64_t)at + 1;
  return (uint64_t)(8 + at % 8 + 1) << (at / 8 - 1);
}
void netdev_times_add(uint64_t *buckets, uint64_t ns) { buckets[bucket(ns)]++; }

// MARK: What comes

static void answer_arp(netdev_clients *all, const uint8_t *frame, uint32_t length) {
  if (length < 42 || get16(frame + 20) != 1 || memcmp(frame + 38, &all->address, 4) != 0) return;
  uint8_t reply[42];
  memcpy(reply, frame, 42);
  memcpy(reply, frame + 6, 6);
  memcpy(reply + 6, all->mac, 6);
  put16(reply + 20, 2);
  memcpy(reply + 22, all->mac, 6);
  memcpy(reply + 28, &all->address, 4);
  memcpy(reply + 32, frame + 22, 10);
  all->emit(all->context, reply, 42);
}

// How long the answer is, with its head; 0 if the head is not whole; 1 if it is none that is served here.
static uint32_t answer_length(const char *bytes, uint32_t length) {
  const char *end = memmem(bytes, length, "\r\n\r\n", 4);
  if (end == NULL) return 0;
  if (length < 12 || memcmp(bytes, "HTTP/1.1 200", 12) != 0) return 1;
  const char *field = memmem(bytes, (size_t)(end - bytes), "Content-Length: ", 16);
  if (field == NULL) return 1;
  return (uint32_t)(end - bytes) + 4 + (uint32_t)strtoul(field + 16, NULL, 10);
}

void netdev_clients_frame(netdev_clients *all, const uint8_t *frame, uint32_t length, uint64_t now) {
  if (length < 14) return;
  uint16_t type = get16(frame + 12);
  if (type == 0x0806) return answer_arp(all, frame, length);
  const uint8_t *ip = frame + 14;
  if (type != 0x0800 || length < head_length || ip[0] != 0x45 || ip[9] != 6) return;
  const uint8_t *tcp = ip + 20;
  uint32_t total = get16(ip + 2), offset = (uint32_t)(tcp[12] >> 4) * 4;
  int index = get16(tcp + 2) - first_port;
  if (index < 0 || index >= all->count || total < 20 + offset || total + 14 > length) return;
  client *at = &all->clients[index];
  uint8_t flags = tcp[13];
  uint32_t sequence = get32(tcp + 4), payload = total - 20 - offset;
  if (flags & rst) {
    all->counts.resets++;
    return connect_client(all, index, now);
  }
  if (at->state == connecting) {
    if ((flags & (syn | ack)) == ack) {
      // Of a connection before this one, whose reset was lost: a reset where the stack expects it.
      uint32_t ours = at->sequence;
      at->sequence = get32(tcp + 8);
      send_segment(all, index, rst, false, false);
      at->sequence = ours;
      return;
    }
    if ((flags & (syn | ack)) != (syn | ack) || get32(tcp + 8) != at->sequence + 1) return;
    at->sequence++;
    at->acknowledged = sequence + 1;
    at->state = waiting;
    return ask(all, index, now);
  }
  if (at->state != waiting || (payload == 0 && !(flags & fin))) return;
  if (sequence != at->acknowledged) {
    all->counts.repeated++;
    return send_segment(all, index, ack, false, false);
  }
  const char *bytes = (const char *)tcp + offset;
  if (at->got == 0) at->wanted = answer_length(bytes, payload);
  else if (at->wanted == 0 && at->got < sizeof at->head) {
    uint32_t space = (uint32_t)sizeof at->head - at->got, part = payload < space ? payload : space;
    memcpy(at->head + at->got, bytes, part);
    at->wanted = answer_length(at->head, at->got + part);
  }
  if (at->wanted == 0 && at->got == 0) memcpy(at->head, bytes, payload < sizeof at->head ? payload : sizeof at->head);
  at->acknowledged += payload;
  at->got += payload;
  if (at->wanted == 1 || (at->wanted != 0 && at->got > at->wanted) || (flags & fin)) {
    all->counts.errors++;
    // The request was taken; a reset is believed only if it is in its place.
    at->sequence += all->request_length;
    send_segment(all, index, rst | ack, false, false);
    return connect_client(all, index, now);
  }
  if (at->wanted == 0 || at->got < at->wanted) return send_segment(all, index, ack, false, false);
  all->counts.requests++;
  netdev_times_add(all->counts.times, now - at->sent_at);
  at->sequence += all->request_length;
  ask(all, index, now);
}
