// Frames fuzzed into netif->input, through the C side of this package, with lwIP from its source under the Address Sanitizer. An input is a
// list of steps: a frame, a timer of lwIP's, or something that the application does. So half-open, closing and timed-out connections are
// reached as well as odd frames.
//
// Law: the same input does the same thing each time: interface, connections and reassembly begin empty, and end so. What is left over then, a
// call outside the guard, or one of lwIP's assertions, is a finding.

#include "internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Whether "the gate" is held: by the fuzzer while it is in lwIP.
static bool holds;
static bool is_guarded(void *stack) { return (void)stack, holds; }
static void die(const char *why) {
  fprintf(stderr, "finding: %s\n", why);
  abort();
}
static void unguarded(void *stack, const void *from) {
  (void)stack, (void)from;
  die("lwIP was called without the guard");
}

// The tests' clock: it goes by the steps.
static uint32_t milliseconds;
static uint32_t now(void) { return milliseconds; }

static void start_timer(void *stack, int index, uint32_t after) { (void)stack, (void)index, (void)after; }
static void timeout(void *stack, uint32_t after, void (*handler)(void *), void *argument) {
  (void)stack, (void)after, (void)handler, (void)argument;
}
static void untimeout(void *stack, void (*handler)(void *), void *argument) { (void)stack, (void)handler, (void)argument; }

// Deferred calls: made after each step.
static struct {
  void (*function)(void *);
  void *argument;
} waiting[64];
static int waiting_count;
static bool later(void *stack, void (*function)(void *), void *argument) {
  (void)stack;
  if (waiting_count == 64) return false;
  waiting[waiting_count].function = function;
  waiting[waiting_count++].argument = argument;
  return true;
}

// What the stack sent last: where its sequence has come to, for steps that acknowledge it, or else hardly any input would get beyond SYN.
static uint8_t sent[2048];
static uint32_t sequence;
static void *frame_space(void *device, uint32_t length) {
  (void)device;
  return length <= sizeof sent ? sent : NULL;
}
static uint32_t word(const uint8_t *at) { return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]; }
static void frame_ready(void *device, uint32_t length) {
  (void)device;
  if (length < 54 || sent[12] != 8 || sent[13] != 0 || sent[23] != 6) return;
  uint32_t header = (sent[46] >> 4) * 4, total = (uint32_t)sent[16] << 8 | sent[17];
  sequence = word(sent + 38) + (total - 20 - header) + (sent[47] & 1) + (sent[47] >> 1 & 1);
}

// The application: it gives back what comes. A connection's owner is its place here.
static lwip_tcp *connections[16];
static void *own(lwip_tcp *connection) {
  for (int index = 0; index < 16; index++) {
    if (connections[index] != NULL) continue;
    connections[index] = connection;
    return &connections[index];
  }
  return NULL;
}
static void *adopt(void *listener, lwip_tcp *connection) {
  (void)listener;
  return own(connection);
}
static void ignore(void *owner) { (void)owner; }
static void received(void *owner, const uint8_t *bytes, uint32_t length) {
  lwip_tcp *connection = *(lwip_tcp **)owner;
  uint32_t room = lwip_tcp_room(connection);
  (void)lwip_tcp_write(connection, bytes, length < room ? length : room, false);
  lwip_tcp_taken(connection, length);
}
static void ended(void *owner) {
  if (lwip_tcp_close(*(lwip_tcp **)owner) < 0) return;
  *(lwip_tcp **)owner = NULL;
}
// One of eight is closed as it is accepted.
static void accept_one(void *listener, void *owner) {
  static unsigned count;
  (void)listener;
  if (count++ % 8 == 7) ended(owner);
}
static void sent_some(void *owner, uint32_t length) { (void)owner, (void)length; }
static void failed(void *owner, int error) {
  (void)error;
  *(lwip_tcp **)owner = NULL;
}
static lwip_udp *endpoint;
static void datagram(void *owner, const uint8_t *bytes, uint32_t length, const lwip_address *from, uint16_t port) {
  (void)owner;
  (void)lwip_udp_send(endpoint, bytes, length, from, port);
}

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t here[4] = {10, 0, 0, 2}, mask[4] = {255, 255, 255, 0}, there[4] = {10, 0, 0, 1};
static const uint8_t here6[16] = {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};

static void application(uint8_t what) {
  lwip_tcp **at = &connections[what >> 4];
  lwip_address to = {.bytes = {10, 0, 0, 1}};
  int error;
  switch (what & 7) {
    case 0: {
      void *owner = own((lwip_tcp *)&to);  // a place, until it is known
      if (owner == NULL) return;
      *(lwip_tcp **)owner = lwip_tcp_connect(&to, 80, owner, &error);
      return;
    }
    case 1:
      if (*at == NULL) return;
      lwip_tcp_abort(*at);
      *at = NULL;
      return;
    case 2:
      if (*at != NULL && lwip_tcp_close(*at) == 0) *at = NULL;
      return;
    case 3:
      if (*at != NULL) (void)lwip_tcp_shutdown_send(*at);
      return;
    case 4: {
      static const uint8_t many[2000];
      if (*at == NULL || lwip_tcp_room(*at) < sizeof many) return;
      (void)lwip_tcp_write(*at, many, sizeof many, false);
      (void)lwip_tcp_output(*at);
      return;
    }
    case 5: (void)lwip_udp_send(endpoint, "x", 1, &to, 9); return;
    default: return;
  }
}

int LLVMFuzzerInitialize(int *count, char ***arguments) {
  (void)count, (void)arguments;
  lwip_hooks hooks = {
    .is_guarded = is_guarded, .unguarded = unguarded, .start_timer = start_timer, .timeout = timeout, .untimeout = untimeout,
    .later = later, .frame_space = frame_space, .frame_ready = frame_ready, .adopt = adopt, .accept = accept_one, .connected = ignore,
    .received = received, .arrived = ignore, .ended = ended, .sent = sent_some, .failed = failed, .polled = ignore, .datagram = datagram,
  };
  lwip_set_hooks(&hooks);
  lwip_keep_own_timeouts(now);
  holds = true;
  lwip_start();
  lwip_set_limits(32, 512);
  holds = false;
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  srand(1);
  holds = true;
  int error;
  lwip_netif *netif = lwip_netif_add(NULL, mac, 1500);
  if (netif == NULL) die("no interface");
  lwip_netif_set_ipv4(netif, here, mask, there);
  lwip_netif_up(netif, true);
  lwip_netif_link(netif, true);
  lwip_netif_link_local(netif);
  lwip_netif_add_ipv6(netif, here6);
  lwip_tcp *listener = lwip_tcp_listen(NULL, 7, 8, connections, &error);
  endpoint = lwip_udp_bind(NULL, 7, &endpoint, &error);
  if (listener == NULL || endpoint == NULL) die("no listener");
  int64_t idle = lwip_count_now().pbufs;

  // A step: a byte that says what, and two of its length or which.
  while (length >= 3) {
    uint8_t what = bytes[0];
    uint32_t size = ((uint32_t)bytes[1] << 8 | bytes[2]) & 2047;
    uint8_t which = bytes[2];
    bytes += 3;
    length -= 3;
    milliseconds += 10;
    switch (what & 3) {
      case 0:
      case 1: {
        if (size > length) size = (uint32_t)length;
        uint8_t frame[2048];
        memcpy(frame, bytes, size);
        bytes += size;
        length -= size;
        // With 1 it acknowledges from where the stack has come to.
        if ((what & 1) && size >= 54 && frame[12] == 8 && frame[23] == 6) {
          uint32_t number = word(frame + 42) + sequence;
          for (int index = 0; index < 4; index++) frame[42 + index] = (uint8_t)(number >> (24 - 8 * index));
        }
        (void)lwip_netif_input(netif, frame, size);
        break;
      }
      case 2:
        milliseconds += 250;
        (void)lwip_timer_run(which % lwip_timer_count());
        break;
      case 3: application(which); break;
    }
    while (waiting_count > 0) {
      waiting_count--;
      waiting[waiting_count].function(waiting[waiting_count].argument);
    }
  }

  (void)lwip_abort_all();
  memset(connections, 0, sizeof connections);
  lwip_netif_remove(netif);
  // What waits to be put together is given up after its time.
  for (int round = 0; round < 64; round++) {
    ip_reass_tmr();
    ip6_reass_tmr();
  }
  lwip_counts left = lwip_count_now();
  holds = false;
  if (left.tcp_pcbs != 0 || left.listen_pcbs != 0 || left.udp_pcbs != 0) die("control blocks are left");
  if (left.segments != 0 || left.pbufs > idle) die("buffers are left");
  return 0;
}
