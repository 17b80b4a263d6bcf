/* A plugin of qemu that counts the instructions that a program runs. Its one argument is the file
   that the number goes to. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What is used of qemu's interface for plugins, whose header no package has. */
typedef uint64_t plugin_id;
struct qemu_plugin_tb; /* A block of instructions that run one after another. */
enum { NO_REGISTERS = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
                                           void (*translated)(plugin_id, struct qemu_plugin_tb*));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb* block,
                                          void (*runs)(unsigned int cpu, void* data), int flags,
                                          void* data);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*ends)(plugin_id, void*), void* data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* block);

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

static uint64_t count;
static char path[4096];

static void block_runs(unsigned int cpu, void* instructions) {
  (void)cpu;
  __atomic_fetch_add(&count, (uintptr_t)instructions, __ATOMIC_RELAXED);
}

static void block_translated(plugin_id id, struct qemu_plugin_tb* block) {
  (void)id;
  qemu_plugin_register_vcpu_tb_exec_cb(block, block_runs, NO_REGISTERS,
                                       (void*)(uintptr_t)qemu_plugin_tb_n_insns(block));
}

static void program_ends(plugin_id id, void* data) {
  (void)id;
  (void)data;
  FILE* file = fopen(path, "w");
  if (file == NULL) return;
  fprintf(file, "%" PRIu64 "\n", count);
  fclose(file);
}

/* `arguments` are of the form name=value. */
EXPORT int qemu_plugin_install(plugin_id id, const void* info, int num_arguments,
                               char** arguments) {
  (void)info;
  const char* value = num_arguments == 1 ? strchr(arguments[0], '=') : NULL;
  if (value == NULL || strlen(value) > sizeof(path)) return -1;
  strcpy(path, value + 1);
  qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
  qemu_plugin_register_atexit_cb(id, program_ends, NULL);
  return 0;
}
