// AF_PACKET sockets and TAP descriptors.

#define _GNU_SOURCE
#include "cnetworkdevices.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static int fail(int descriptor) {
  int error = errno;
  if (descriptor >= 0) close(descriptor);
  return -error;
}

static bool name_of(struct ifreq *request, const char *interface) {
  memset(request, 0, sizeof *request);
  if (strlen(interface) >= sizeof request->ifr_name) return false;
  strcpy(request->ifr_name, interface);
  return true;
}

enum {
  RING_BYTES = 4 << 20,
  // What the kernel allocates in one piece.
  BLOCK_BYTES = 1 << 16,
};

// The ring, before the socket is bound: so every frame goes through it.
static bool map_ring(netdev_packet *packet) {
  int version = TPACKET_V2;
  if (setsockopt(packet->descriptor, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0) return false;
  // Ethernet with VLAN behind the kernel's own header; longer than that is cut, and such a frame is none.
  uint32_t needed = TPACKET_ALIGN(TPACKET2_HDRLEN) + 16 + packet->mtu + 18;
  packet->frame_size = 2048;
  while (packet->frame_size < needed && packet->frame_size < BLOCK_BYTES) packet->frame_size *= 2;
  packet->count = RING_BYTES / packet->frame_size;
  struct tpacket_req request = {
      .tp_block_size = BLOCK_BYTES,
      .tp_block_nr = RING_BYTES / BLOCK_BYTES,
      .tp_frame_size = packet->frame_size,
      .tp_frame_nr = packet->count,
  };
  if (setsockopt(packet->descriptor, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0) return false;
  void *map = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, packet->descriptor, 0);
  if (map == MAP_FAILED) return false;
  packet->map = map;
  return true;
}

int netdev_packet_open(netdev_packet *packet, const char *interface) {
  struct ifreq request;
  memset(packet, 0, sizeof *packet);
  if (!name_of(&request, interface)) return -ENODEV;
  int descriptor = packet->descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -errno;
  if (ioctl(descriptor, SIOCGIFHWADDR, &request) < 0) return fail(descriptor);
  memcpy(packet->mac, request.ifr_hwaddr.sa_data, 6);
  if (ioctl(descriptor, SIOCGIFMTU, &request) < 0) return fail(descriptor);
  packet->mtu = (uint32_t)request.ifr_mtu;
  if (ioctl(descriptor, SIOCGIFINDEX, &request) < 0) return fail(descriptor);
  int on = 1;
  // Or we would hear ourselves.
  if (setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0) return fail(descriptor);
  if (!map_ring(packet)) return fail(descriptor);
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = request.ifr_ifindex};
  if (bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
    int error = errno;
    netdev_packet_close(packet);
    return -error;
  }
  return 0;
}

void netdev_packet_close(netdev_packet *packet) {
  if (packet->map != NULL) munmap(packet->map, RING_BYTES);
  close(packet->descriptor);
}

int netdev_tap_open(const char *interface, uint32_t *mtu) {
  struct ifreq request;
  if (!name_of(&request, interface)) return -ENODEV;
  int descriptor = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (ioctl(descriptor, TUNSETIFF, &request) < 0) return fail(descriptor);
  *mtu = 1500;
  int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control >= 0) {
    if (ioctl(control, SIOCGIFMTU, &request) == 0) *mtu = (uint32_t)request.ifr_mtu;
    close(control);
  }
  return descriptor;
}

enum { most = 64 };

static struct tpacket2_hdr *frame_at(netdev_packet *packet, uint32_t index) {
  return (struct tpacket2_hdr *)(void *)(packet->map + (size_t)index * packet->frame_size);
}

bool netdev_packet_waits(netdev_packet *packet) {
  // Relaxed, both: a hint; who takes frames looks properly. `next` is always an index of the ring.
  uint32_t next = __atomic_load_n(&packet->next, __ATOMIC_RELAXED);
  return (__atomic_load_n(&frame_at(packet, next)->tp_status, __ATOMIC_RELAXED) & TP_STATUS_USER) != 0;
}

int netdev_packet_receive(netdev_packet *packet, netdev_slot *slots, int count) {
  int got = 0;
  uint32_t next = packet->next;
  for (; got < count; got++) {
    struct tpacket2_hdr *header = frame_at(packet, next);
    // Acquire: pairs with the kernel's barrier between the frame and its status.
    if (!(__atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) break;
    // A frame that was cut (an offload is on) is none: length 0.
    bool isWhole = header->tp_snaplen == header->tp_len && header->tp_len <= slots[got].length;
    slots[got].length = isWhole ? header->tp_len : 0;
    if (isWhole) memcpy(slots[got].bytes, (uint8_t *)header + header->tp_mac, header->tp_len);
    // Release: the frame has been read when the kernel has it back.
    __atomic_store_n(&header->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    next = next + 1 == packet->count ? 0 : next + 1;
    // One writer; relaxed: a hint for others.
    __atomic_store_n(&packet->next, next, __ATOMIC_RELAXED);
  }
  if (got == 0 && count > 0) {
    // Called for nothing: an interface that has gone down leaves an error, and until it is fetched the descriptor stays ready.
    int error;
    socklen_t length = sizeof error;
    (void)getsockopt(packet->descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
  }
  return got;
}

uint32_t netdev_packet_dropped(netdev_packet *packet) {
  // The kernel reads its counts and begins them anew in one step.
  struct tpacket_stats counts = {0};
  socklen_t length = sizeof counts;
  (void)getsockopt(packet->descriptor, SOL_PACKET, PACKET_STATISTICS, &counts, &length);
  return counts.tp_drops;
}

int netdev_packet_send(int descriptor, const netdev_slot *slots, int count) {
  struct mmsghdr messages[most];
  struct iovec vectors[most];
  if (count > most) count = most;
  for (int index = 0; index < count; index++) {
    vectors[index] = (struct iovec){slots[index].bytes, slots[index].length};
    messages[index] = (struct mmsghdr){.msg_hdr = {.msg_iov = &vectors[index], .msg_iovlen = 1}};
  }
  int sent = sendmmsg(descriptor, messages, (unsigned)count, MSG_DONTWAIT);
  return sent < 0 ? -errno : sent;
}

ssize_t netdev_tap_receive(int descriptor, void *bytes, uint32_t length) {
  ssize_t got = read(descriptor, bytes, length);
  if (got >= 0) return got;
  return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}
