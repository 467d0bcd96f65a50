// Names and addresses from the network: lwIP's DNS and DHCP clients, where the library has them. The packaged one has neither.
//
// Law: before control blocks are ended both clients have let go of theirs: lwip_end_services comes first.

#include "internal.h"
#if LWIP_DNS
#include "lwip/dns.h"
#endif
#if LWIP_DHCP
#include "lwip/dhcp.h"
#endif

bool lwip_has_dns(void) { return LWIP_DNS; }
bool lwip_has_dhcp(void) { return LWIP_DHCP; }

#if LWIP_DNS
int lwip_dns_most_servers(void) { return DNS_MAX_SERVERS; }

void lwip_dns_set_server(int index, const lwip_address *address) {
  if (index >= DNS_MAX_SERVERS) return;
  ip_addr_t ip;
  if (address != NULL) ip = lwip_to_ip(address);
  dns_setserver((u8_t)index, address == NULL ? NULL : &ip);
}

static void on_found(const char *name, const ip_addr_t *ip, void *query) {
  (void)name;
  lwip_address address = {0};
  if (ip != NULL) address = lwip_from_ip(ip);
  lwip_hook.resolved(lwip_hook.stack, (uintptr_t)query, ip == NULL ? NULL : &address);
}

int lwip_dns_resolve(const char *name, lwip_family family, uintptr_t query, lwip_address *address) {
  ip_addr_t ip;
  u8_t type = family == lwip_family_ipv4   ? LWIP_DNS_ADDRTYPE_IPV4
              : family == lwip_family_ipv6 ? LWIP_DNS_ADDRTYPE_IPV6
                                           : LWIP_DNS_ADDRTYPE_IPV4_IPV6;
  err_t result = dns_gethostbyname_addrtype(name, &ip, on_found, (void *)query, type);
  if (result == ERR_OK) *address = lwip_from_ip(&ip);
  return result == ERR_INPROGRESS ? 1 : result;
}
#else
int lwip_dns_most_servers(void) { return 0; }
void lwip_dns_set_server(int index, const lwip_address *address) { (void)index, (void)address; }
int lwip_dns_resolve(const char *name, lwip_family family, uintptr_t query, lwip_address *address) {
  (void)name, (void)family, (void)query, (void)address;
  return ERR_VAL;
}
#endif

#if LWIP_DHCP && LWIP_NETIF_STATUS_CALLBACK
static void on_status(struct netif *netif) {
  if (!dhcp_supplied_address(netif)) return;
  lwip_address address = lwip_from_ip(&netif->ip_addr), mask = lwip_from_ip(&netif->netmask), gateway = lwip_from_ip(&netif->gw);
  lwip_hook.leased(lwip_netif_device(netif), &address, &mask, &gateway);
}

int lwip_dhcp_start(lwip_netif *at) {
  netif_set_status_callback((struct netif *)at, on_status);
  return dhcp_start((struct netif *)at);
}

void lwip_dhcp_stop(lwip_netif *at) {
  struct netif *netif = (struct netif *)at;
  if (netif_dhcp_data(netif) == NULL) return;
  dhcp_release_and_stop(netif);
  dhcp_cleanup(netif);
}
#else
int lwip_dhcp_start(lwip_netif *at) {
  (void)at;
  return ERR_VAL;
}
void lwip_dhcp_stop(lwip_netif *at) { (void)at; }
#endif

void lwip_end_services(void) {
  struct netif *netif;
  NETIF_FOREACH(netif) lwip_dhcp_stop((lwip_netif *)netif);
#if LWIP_DNS
  // It cannot be cancelled, but it gives up: it waits one of its seconds longer before each time that it asks again, and asks each server so often.
  // After twice as many of them each question has had its last time, and the control blocks of all are given back.
  for (int round = 0; round < (DNS_MAX_RETRIES + 1) * (DNS_MAX_RETRIES + 1) * DNS_MAX_SERVERS * 2; round++) dns_tmr();
#endif
}
