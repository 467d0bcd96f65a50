// lwIP's raw interface in the few calls that the Swift side needs; no lwIP header is seen beyond this target.
//
// Law: every function of "The stack" and below is called by who holds the stack's guard, and by nobody else; lwIP asserts it
// through `lwip_hooks.is_guarded`.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// An address: 4 or 16 bytes in network order, and which of the two.
typedef struct lwip_address {
  uint8_t bytes[16];
  bool is_v6;
  // Zone of a link-local address; 0 for none.
  uint8_t zone;
} lwip_address;

typedef struct lwip_netif lwip_netif;
typedef struct lwip_tcp lwip_tcp;
typedef struct lwip_udp lwip_udp;

// What the Swift side answers. Set once, before lwip_start(). `stack` is handed to those that have no owner or device.
typedef struct lwip_hooks {
  void *stack;
  // Whether the calling context holds the stack's guard.
  bool (*is_guarded)(void *stack);
  // A core-lock assertion failed. `from` is the address it was called from.
  void (*unguarded)(void *stack, const void *from);
  // A cyclic timer of the table is to run after its interval: lwIP's tcp_timer_needed, and the start of all others.
  void (*start_timer)(void *stack, int index, uint32_t milliseconds);
  // sys_timeout and sys_untimeout.
  void (*timeout)(void *stack, uint32_t milliseconds, void (*handler)(void *), void *argument);
  void (*untimeout)(void *stack, void (*handler)(void *), void *argument);
  // tcpip_try_callback: to be called later under the guard.
  bool (*later)(void *stack, void (*function)(void *), void *argument);
  // A frame goes out: `length` bytes were asked for and are to be written to what is returned, then sent. NULL: no room.
  void *(*frame_space)(void *device, uint32_t length);
  void (*frame_ready)(void *device, uint32_t length);
  // TCP. `adopt` returns the owner of a new connection, or NULL, which resets it; `accept` may close or abort it as at any time.
  void *(*adopt)(void *listener, lwip_tcp *connection);
  void (*accept)(void *listener, void *owner);
  void (*connected)(void *owner);
  // One piece of received data. The pieces of one call follow each other.
  void (*received)(void *owner, const uint8_t *bytes, uint32_t length);
  // All pieces of one arrival have been handed over.
  void (*arrived)(void *owner);
  // The other end has closed its direction.
  void (*ended)(void *owner);
  void (*sent)(void *owner, uint32_t length);
  // The control block is gone: reset, aborted or out of memory; an err_t.
  void (*failed)(void *owner, int error);
  // lwIP asks now and then whether there is something to do.
  void (*polled)(void *owner);
  void (*datagram)(void *owner, const uint8_t *bytes, uint32_t length, const lwip_address *from, uint16_t port);
  // DNS: the answer to a question; NULL: there is none.
  void (*resolved)(void *stack, uintptr_t query, const lwip_address *);
  // DHCP: the interface of a device has this address now.
  void (*leased)(void *device, const lwip_address *, const lwip_address *mask, const lwip_address *gateway);
} lwip_hooks;
// Before any other call, and while nobody is in lwIP.
void lwip_set_hooks(const lwip_hooks *);

// MARK: What was asked

// How often lwIP asserted that its core lock is held, and how often it was not; how often it asked for its own lock or protection.
typedef struct lwip_counts {
  uint64_t assertions, failures, locks, protections;
  // Control blocks and buffers that lwIP has now, by pool.
  int64_t tcp_pcbs, listen_pcbs, udp_pcbs, segments, pbufs;
  // Allocations refused because a limit was reached.
  uint64_t refused;
} lwip_counts;
lwip_counts lwip_count_now(void);
// The most TCP control blocks (without listening ones) and packet buffers that lwIP may have; for input a quarter
// more buffers, so that acknowledgements get in when all others wait to be sent. 0: no limit.
void lwip_set_limits(int64_t tcp_pcbs, int64_t pbufs);

// MARK: The stack

// lwip_init(), the first time; then starts the timers through the hooks.
void lwip_start(void);
// For lwIP's own tests of its list of timeouts: it keeps that list itself and has the time from `now`. NULL: no longer.
void lwip_keep_own_timeouts(uint32_t (*now)(void));
int lwip_timer_count(void);
const char *lwip_timer_name(int index);
// Runs a cyclic timer. The milliseconds after which it wants to run again; 0 if not.
uint32_t lwip_timer_run(int index);
// Aborts every connection and frees every control block that there is; how many.
int lwip_abort_all(void);

// MARK: Interfaces

lwip_netif *lwip_netif_add(void *device, const uint8_t mac[6], uint16_t mtu);
bool lwip_netif_set_ipv4(lwip_netif *, const uint8_t address[4], const uint8_t mask[4], const uint8_t gateway[4]);
// Adds an address, as preferred at once: who gives it knows that it is his.
bool lwip_netif_add_ipv6(lwip_netif *, const uint8_t address[16]);
// Makes the link-local address of the MAC.
void lwip_netif_link_local(lwip_netif *);
void lwip_netif_up(lwip_netif *, bool up);
void lwip_netif_link(lwip_netif *, bool up);
// A frame of the device: copied into a buffer of lwIP's. False if there was none.
bool lwip_netif_input(lwip_netif *, const uint8_t *bytes, uint32_t length);
void lwip_netif_remove(lwip_netif *);

// MARK: TCP. Errors are lwIP's err_t, below 0.

lwip_tcp *lwip_tcp_listen(const lwip_address *, uint16_t port, int backlog, void *listener, int *error);
void lwip_tcp_close_listener(lwip_tcp *);
lwip_tcp *lwip_tcp_connect(const lwip_address *, uint16_t port, void *owner, int *error);
// How many bytes could be queued now, and whether there is a place in the queue of segments.
uint32_t lwip_tcp_room(lwip_tcp *);
// Copies and queues; lwip_tcp_output sends.
int lwip_tcp_write(lwip_tcp *, const void *bytes, uint32_t length, bool more);
int lwip_tcp_output(lwip_tcp *);
// The application has done with so many received bytes: the window opens.
void lwip_tcp_taken(lwip_tcp *, uint32_t length);
// Gives the control block back to lwIP, which ends the connection in order; no hook is called for it any more. Below 0: out of
// memory, still open.
int lwip_tcp_close(lwip_tcp *);
// Ends our direction only.
int lwip_tcp_shutdown_send(lwip_tcp *);
// Resets it; no hook is called for it any more. Inside a hook of the same connection it ends when the hook has returned.
void lwip_tcp_abort(lwip_tcp *);
void lwip_tcp_no_delay(lwip_tcp *, bool);
void lwip_tcp_keepalive(lwip_tcp *, uint32_t milliseconds);
void lwip_tcp_peer(lwip_tcp *, lwip_address *, uint16_t *port);
uint16_t lwip_tcp_local_port(lwip_tcp *);

// MARK: UDP

lwip_udp *lwip_udp_bind(const lwip_address *, uint16_t port, void *owner, int *error);
uint16_t lwip_udp_local_port(lwip_udp *);
int lwip_udp_send(lwip_udp *, const void *bytes, uint32_t length, const lwip_address *, uint16_t port);
void lwip_udp_close(lwip_udp *);

// MARK: DNS and DHCP, where the library has them (the packaged one does not)

bool lwip_has_dns(void);
bool lwip_has_dhcp(void);
typedef enum lwip_family { lwip_family_any, lwip_family_ipv4, lwip_family_ipv6 } lwip_family;
int lwip_dns_most_servers(void);
// NULL: none.
void lwip_dns_set_server(int index, const lwip_address *);
// 0: it was known, and is in `address`; 1: `resolved` will be called with `query`; below 0: an error.
int lwip_dns_resolve(const char *name, lwip_family, uintptr_t query, lwip_address *address);
// `leased` will be called whenever there is an address.
int lwip_dhcp_start(lwip_netif *);
// Gives the address back.
void lwip_dhcp_stop(lwip_netif *);

// MARK: lwIP under its own core lock: only in a program that puts nothing in the place of lwIP's symbols

// tcpip_init(): lwIP's own thread, which runs its timers and its mailbox. Returns when it runs.
void lwip_core_start(void);
// LOCK_TCPIP_CORE and UNLOCK_TCPIP_CORE.
void lwip_core_lock(void);
void lwip_core_unlock(void);
// A frame of the device, copied into a buffer of lwIP's and sent to its thread. By any thread. False if there was no room.
bool lwip_core_post(lwip_netif *, const uint8_t *bytes, uint32_t length);
// Calls `function` on lwIP's thread, under the lock, after what its mailbox holds now. Once at a time: not again before it has been called.
bool lwip_core_later(void (*function)(void *), void *argument);

#include "lwipapi.h"
