// Devices that carry Ethernet frames: libslirp, and descriptors of the kernel (AF_PACKET, TAP).
//
// Law: a device is one owner's at a time; nothing here locks.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: libslirp: a small network on this process's own sockets, no root needed

typedef struct netdev_slirp netdev_slirp;

// Where the frames that it sends go.
typedef void (*netdev_frame)(void *context, const uint8_t *bytes, uint32_t length);

// NULL: out of memory or descriptors. The network is 10.0.2.0/24 and fd00::/64; the host is …2, the stack is to be …15.
netdev_slirp *netdev_slirp_open(netdev_frame receive, void *context);
// Forwards a port of the host's 127.0.0.1 (or ::1) to one of the stack. 0 or -errno.
int netdev_slirp_forward(netdev_slirp *, bool udp, bool v6, uint16_t host_port, uint16_t port);
// Readable when there is something to do.
int netdev_slirp_descriptor(netdev_slirp *);
// Does what there is to do with its sockets and timers: frames arrive meanwhile.
void netdev_slirp_run(netdev_slirp *);
// Takes a frame of the stack.
void netdev_slirp_send(netdev_slirp *, const uint8_t *bytes, uint32_t length);
// To be called after runs and sends: notes which sockets it waits for now.
void netdev_slirp_settle(netdev_slirp *);
void netdev_slirp_close(netdev_slirp *);

// MARK: Descriptors

// A raw socket on a network interface, whose kernel puts what comes into memory that it shares with us (PACKET_RX_RING, TPACKET_V2).
typedef struct netdev_packet {
  int descriptor;
  uint8_t mac[6];
  uint32_t mtu;
  // The shared memory: `count` frames of `frame_size` bytes. `next` is the reader's; others may look at it.
  uint8_t *map;
  uint32_t frame_size, count, next;
} netdev_packet;
// 0, or -errno and nothing is open.
int netdev_packet_open(netdev_packet *, const char *interface);
void netdev_packet_close(netdev_packet *);
// A TAP interface, made if it is not there; the MTU of the kernel's end. -errno.
int netdev_tap_open(const char *interface, uint32_t *mtu);

// A frame where it lies.
typedef struct netdev_slot {
  void *bytes;
  uint32_t length;
} netdev_slot;

// Takes up to `count` frames into slots of `length` bytes each, without a system call; sets the lengths, 0 for one that is too long. How many.
// One caller at a time.
int netdev_packet_receive(netdev_packet *, netdev_slot *slots, int count);
// Whether there is a frame to take. Anybody; only the reader's answer is sure.
bool netdev_packet_waits(netdev_packet *);
// How many frames the kernel has dropped since this was last called, for want of room in the shared memory. Anybody: each is told of to one caller.
uint32_t netdev_packet_dropped(netdev_packet *);
// Sends up to `count` frames; how many went out, or -errno.
int netdev_packet_send(int descriptor, const netdev_slot *slots, int count);
// One frame of a TAP; its length, 0 if there is none, -errno.
ssize_t netdev_tap_receive(int descriptor, void *bytes, uint32_t length);

// MARK: A plain thread's waiting

// An event descriptor; -errno.
int netdev_bell_open(void);
void netdev_bell_ring(int bell);
// Waits for the device (bit 0 of the result) or the bell (bit 1, which is answered by this); 0 milliseconds: looks only, -1: for ever.
int netdev_bell_wait(int bell, int device, int milliseconds);

// MARK: HTTP clients on a wire in memory

typedef struct netdev_clients netdev_clients;
enum { NETDEV_BUCKETS = 320 };
typedef struct netdev_client_counts {
  // Answers that came whole; answers that were none; resets; segments that were sent or came again.
  uint64_t requests, errors, resets, repeated;
  // How long answers took: how many below each limit.
  uint64_t times[NETDEV_BUCKETS];
} netdev_client_counts;
// `count` clients at 10.1.0.1 of a stack at 10.1.0.2 with the MAC 02:53:49:00:01:02, each with one request in flight. NULL: no memory, or
// the path is too long.
netdev_clients *netdev_clients_open(int count, uint16_t port, const char *path, netdev_frame emit, void *context);
// `now` is in nanoseconds throughout.
void netdev_clients_start(netdev_clients *, uint64_t now);
// A frame of the stack.
void netdev_clients_frame(netdev_clients *, const uint8_t *bytes, uint32_t length, uint64_t now);
// Repeats what has waited longer than `patience`.
void netdev_clients_tick(netdev_clients *, uint64_t now, uint64_t patience);
const netdev_client_counts *netdev_clients_count(const netdev_clients *);
void netdev_clients_close(netdev_clients *);

// Times by number: eight steps to each doubling.
void netdev_times_add(uint64_t *buckets, uint64_t ns);
// Times of bucket `at` are below it.
uint64_t netdev_bucket_limit(int at);
