// lwIP as a table of functions, and further ones in namespaces of their own.
//
// Law: a program that links this target has one lwIP, whose data is global. Another is the same library once more, in a namespace of the dynamic
// linker (dlmopen): there the executable's symbols are not seen, so what is loaded is this target itself with its guard, as a
// library: it comes first in that namespace, and lwIP there finds it as the first one finds the executable.

#define _GNU_SOURCE
#include "internal.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

lwip_hooks lwip_hook;
void lwip_set_hooks(const lwip_hooks *hooks) { lwip_hook = *hooks; }

// Without the guard nothing is asked of us, so nothing is counted or limited. CLwIPGuard's definitions replace these.
__attribute__((weak)) bool lwip_is_interposed(void) { return false; }
__attribute__((weak)) lwip_counts lwip_count_now(void) { return (lwip_counts){0}; }
__attribute__((weak)) void lwip_set_limits(int64_t tcp_pcbs, int64_t pbufs) {
  (void)tcp_pcbs;
  (void)pbufs;
}

__attribute__((weak)) struct pbuf *lwip_input_buffer(u16_t length) { return pbuf_alloc(PBUF_RAW, length, PBUF_RAM); }

const lwip_api *lwip_api_here(void) {
  static const lwip_api api = {
      .is_interposed = lwip_is_interposed,
      .set_hooks = lwip_set_hooks,
      .count_now = lwip_count_now,
      .set_limits = lwip_set_limits,
      .start = lwip_start,
      .timer_count = lwip_timer_count,
      .timer_name = lwip_timer_name,
      .timer_run = lwip_timer_run,
      .abort_all = lwip_abort_all,
      .netif_add = lwip_netif_add,
      .netif_set_ipv4 = lwip_netif_set_ipv4,
      .netif_add_ipv6 = lwip_netif_add_ipv6,
      .netif_link_local = lwip_netif_link_local,
      .netif_up = lwip_netif_up,
      .netif_link = lwip_netif_link,
      .netif_input = lwip_netif_input,
      .netif_remove = lwip_netif_remove,
      .tcp_listen = lwip_tcp_listen,
      .tcp_close_listener = lwip_tcp_close_listener,
      .tcp_connect = lwip_tcp_connect,
      .tcp_room = lwip_tcp_room,
      .tcp_write = lwip_tcp_write,
      .tcp_output = lwip_tcp_output,
      .tcp_taken = lwip_tcp_taken,
      .tcp_close = lwip_tcp_close,
      .tcp_shutdown_send = lwip_tcp_shutdown_send,
      .tcp_abort = lwip_tcp_abort,
      .tcp_no_delay = lwip_tcp_no_delay,
      .tcp_peer = lwip_tcp_peer,
      .udp_bind = lwip_udp_bind,
      .udp_local_port = lwip_udp_local_port,
      .udp_send = lwip_udp_send,
      .udp_close = lwip_udp_close,
      .dns_most_servers = lwip_dns_most_servers,
      .dns_set_server = lwip_dns_set_server,
      .dns_resolve = lwip_dns_resolve,
      .dhcp_start = lwip_dhcp_start,
      .dhcp_stop = lwip_dhcp_stop,
      .core_start = lwip_core_start,
      .core_lock = lwip_core_lock,
      .core_unlock = lwip_core_unlock,
      .core_post = lwip_core_post,
      .core_later = lwip_core_later,
  };
  return &api;
}

const lwip_api *lwip_api_load(const char *path, char *error, size_t size) {
  void *library = dlmopen(LM_ID_NEWLM, path, RTLD_NOW | RTLD_LOCAL);
  const lwip_api *(*here)(void) = library == NULL ? NULL : (const lwip_api *(*)(void))dlsym(library, "lwip_api_here");
  if (here == NULL) {
    const char *reason = dlerror();
    snprintf(error, size, "%s", reason != NULL ? reason : "no such symbol");
    return NULL;
  }
  return here();
}

bool lwip_api_directory(char *path, size_t size) {
  Dl_info info;
  if (dladdr((const void *)lwip_api_here, &info) == 0 || info.dli_fname == NULL) return false;
  // A program's own name is as it was called: the link says where it is.
  char program[4096];
  const char *name = info.dli_fname;
  if (strchr(name, '/') == NULL) {
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) return false;
    program[length] = 0;
    name = program;
  }
  const char *end = strrchr(name, '/');
  if (end == NULL || (size_t)(end - name) >= size) return false;
  memcpy(path, name, (size_t)(end - name));
  path[end - name] = 0;
  return true;
}
