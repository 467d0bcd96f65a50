// lwIP as it comes: its own thread, its own mailbox, its own core lock.
//
// Law: nothing of lwIP is replaced here; its own assertions watch its own lock. Where its symbols are replaced these functions are not called.

#include "internal.h"
#include <semaphore.h>
#include <string.h>

static struct tcpip_callback_msg *message;
static void (*deferred)(void *);
static void *deferred_argument;

static void run_deferred(void *unused) {
  (void)unused;
  deferred(deferred_argument);
}

static void started(void *semaphore) { sem_post(semaphore); }

void lwip_core_start(void) {
  // Its thread stays: it has no end.
  if (message != NULL) return;
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  tcpip_init(started, &semaphore);
  while (sem_wait(&semaphore) != 0) {
  }
  sem_destroy(&semaphore);
  message = tcpip_callbackmsg_new(run_deferred, NULL);
}

void lwip_core_lock(void) { LOCK_TCPIP_CORE(); }
void lwip_core_unlock(void) { UNLOCK_TCPIP_CORE(); }

bool lwip_core_post(lwip_netif *at, const uint8_t *bytes, uint32_t length) {
  if (length > UINT16_MAX) return false;
  // As long as on a wire: see lwip_netif_input.
  u16_t whole = length < 60 ? 60 : (u16_t)length;
  struct pbuf *buffer = pbuf_alloc(PBUF_RAW, whole, PBUF_RAM);
  if (buffer == NULL) return false;
  memcpy(buffer->payload, bytes, length);
  memset((uint8_t *)buffer->payload + length, 0, whole - length);
  if (tcpip_inpkt(buffer, (struct netif *)at, ethernet_input) == ERR_OK) return true;
  pbuf_free(buffer);
  return false;
}

bool lwip_core_later(void (*function)(void *), void *argument) {
  deferred = function;
  deferred_argument = argument;
  return message != NULL && tcpip_callbackmsg_trycallback(message) == ERR_OK;
}
