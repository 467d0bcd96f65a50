// One lwIP of several: the functions of clwipstack.h as a table.
#pragma once
#include "clwipstack.h"
#pragma clang assume_nonnull begin

// All of the above as a table, for there can be more than one lwIP in a process, each with its own copy of this target.
typedef struct lwip_api {
  // Whether lwIP's symbols are replaced by ours.
  bool (*is_interposed)(void);
  void (*set_hooks)(const lwip_hooks *);
  lwip_counts (*count_now)(void);
  void (*set_limits)(int64_t, int64_t);
  void (*start)(void);
  int (*timer_count)(void);
  const char *_Nonnull (*_Nonnull timer_name)(int);
  uint32_t (*timer_run)(int);
  int (*abort_all)(void);
  lwip_netif *_Nullable (*_Nonnull netif_add)(void *, const uint8_t *, uint16_t);
  bool (*netif_set_ipv4)(lwip_netif *, const uint8_t *, const uint8_t *, const uint8_t *);
  bool (*netif_add_ipv6)(lwip_netif *, const uint8_t *);
  void (*netif_link_local)(lwip_netif *);
  void (*netif_up)(lwip_netif *, bool);
  void (*netif_link)(lwip_netif *, bool);
  bool (*netif_input)(lwip_netif *, const uint8_t *, uint32_t);
  void (*netif_remove)(lwip_netif *);
  lwip_tcp *_Nullable (*_Nonnull tcp_listen)(const lwip_address *_Nullable, uint16_t, int, void *, int *);
  void (*tcp_close_listener)(lwip_tcp *);
  lwip_tcp *_Nullable (*_Nonnull tcp_connect)(const lwip_address *, uint16_t, void *, int *);
  uint32_t (*tcp_room)(lwip_tcp *);
  int (*tcp_write)(lwip_tcp *, const void *_Nullable, uint32_t, bool);
  int (*tcp_output)(lwip_tcp *);
  void (*tcp_taken)(lwip_tcp *, uint32_t);
  int (*tcp_close)(lwip_tcp *);
  int (*tcp_shutdown_send)(lwip_tcp *);
  void (*tcp_abort)(lwip_tcp *);
  void (*tcp_no_delay)(lwip_tcp *, bool);
  void (*tcp_peer)(lwip_tcp *, lwip_address *, uint16_t *);
  lwip_udp *_Nullable (*_Nonnull udp_bind)(const lwip_address *_Nullable, uint16_t, void *, int *);
  uint16_t (*udp_local_port)(lwip_udp *);
  int (*udp_send)(lwip_udp *, const void *_Nullable, uint32_t, const lwip_address *, uint16_t);
  void (*udp_close)(lwip_udp *);
  int (*dns_most_servers)(void);
  void (*dns_set_server)(int, const lwip_address *_Nullable);
  int (*dns_resolve)(const char *, lwip_family, uintptr_t, lwip_address *);
  int (*dhcp_start)(lwip_netif *);
  void (*dhcp_stop)(lwip_netif *);
  void (*core_start)(void);
  void (*core_lock)(void);
  void (*core_unlock)(void);
  bool (*core_post)(lwip_netif *, const uint8_t *, uint32_t);
  bool (*_Nonnull core_later)(void (*_Nonnull)(void *_Nullable), void *_Nullable);
} lwip_api;
// Of the lwIP that this copy of the target is linked with.
const lwip_api *lwip_api_here(void);
// Loads another lwIP, with the library at `path` (this target and its guard) in a namespace of its own; it stays until the process ends.
// NULL: not loaded, and `error` says why.
const lwip_api *_Nullable lwip_api_load(const char *path, char *error, size_t size);
// The directory of the program or library that contains this code.
bool lwip_api_directory(char *path, size_t size);
// Whether lwIP's symbols are replaced: true where CLwIPGuard is linked.
bool lwip_is_interposed(void);

#pragma clang assume_nonnull end
