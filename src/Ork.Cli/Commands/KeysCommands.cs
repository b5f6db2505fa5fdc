using System.CommandLine;
using Ork.Cli.Hosting;
using Ork.Transport;
using Spectre.Console;

namespace Ork.Cli.Commands;

/// <summary><c>ork keys show</c>.</summary>
internal static class KeysCommands
{
    internal static Command Create()
    {
        var data = Shared.Data();
        var json = Shared.Json();
        var show = new Verb("show", "Show the public-key hashes of this data directory, making the keys if there are none.") { data, json }
            .WithExample("ork keys show --data /var/lib/ork");
        show.SetAction(parsed =>
        {
            var output = new Output(parsed.GetValue(json));
            try
            {
                string KeyOf(string file)
                {
                    using var identity = LinkIdentity.LoadOrCreate(Path.Combine(parsed.GetValue(data)!, file));
                    return identity.Key;
                }

                var keys = new { kernel = KeyOf(KernelProcess.KeyFile), client = KeyOf(Networks.ClientKeyFile), worker = KeyOf(Networks.WorkerKeyFile) };
                output.Write(keys, console =>
                {
                    console.WriteLine($"kernel  {keys.kernel}");
                    console.WriteLine($"client  {keys.client}");
                    console.WriteLine($"worker  {keys.worker}");
                });
                return ExitCode.Done;
            }
            catch (Ork.Protocol.LinkException e)
            {
                return output.Fail(e.Refusal, e.Message);
            }
        });
        return new Verb("keys", "Show the keys of this machine's kernel, client and Workers.") { show }.WithExample("ork keys show");
    }
}
