/** PyTorch on the same GPU in the same run: int8 by cuBLAS, and f32 without tf32. */
import { existsSync } from 'node:fs'
import type { Figures, Progress } from './run.ts'

const script = `
import json, torch
torch.backends.cuda.matmul.allow_tf32 = False
def median_ms(multiply):
    for _ in range(20): multiply()
    torch.cuda.synchronize()
    taken = []
    for _ in range(30):
        began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        began.record(); multiply(); ended.record(); torch.cuda.synchronize()
        taken.append(began.elapsed_time(ended))
    return sorted(taken)[len(taken) // 2]
figures = {}
for size in (4096, 8192):
    a, b = (torch.randint(-128, 128, (size, size), dtype=torch.int8, device='cuda') for _ in range(2))
    figures['torchInt8Tops%d' % size] = 2 * size ** 3 / median_ms(lambda: torch._int_mm(a, b.t())) / 1e9
    x, y = (torch.rand(size, size, device='cuda') - 0.5 for _ in range(2))
    figures['torchF32Tflops%d' % size] = 2 * size ** 3 / median_ms(lambda: x @ y) / 1e9
print(json.dumps(figures))
`

export async function measureTorch(progress: Progress): Promise<Figures> {
  if (!existsSync('/dev/nvidiactl') && Bun.which('nvidia-smi') === null) {
    progress('no PyTorch figures: this machine has no NVIDIA driver')
    return {}
  }
  const python = Bun.which('python3')
  if (python === null) {
    progress('no PyTorch figures: there is no python3')
    return {}
  }
  progress('PyTorch')
  const child = Bun.spawn([python, '-c', script], { stdout: 'pipe', stderr: 'pipe' })
  const [output, complaint] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if ((await child.exited) !== 0) {
    progress(`no PyTorch figures: ${complaint.trim().split('\n').at(-1)}`)
    return {}
  }
  return JSON.parse(output) as Figures
}
