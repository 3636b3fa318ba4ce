using System.Threading.Channels;

namespace ShopFarm;

/// <summary>What a person at the terminal can do to the farm.</summary>
internal static class Keys
{
    /// <summary>Returns when <c>q</c> is pressed or the token ends it.</summary>
    public static async Task ObeyAsync(Farm farm, LiveTable table, CancellationToken cancellationToken)
    {
        await foreach (var key in Pressed().ReadAllAsync(cancellationToken))
        {
            if (key == 'q')
            {
                return;
            }

            if (key - '1' is var number && number >= 0 && number < farm.Nodes.Count)
            {
                table.Selected = number;
                continue;
            }

            var node = farm.Nodes[table.Selected];
            table.Note = key switch
            {
                'k' when node.IsRunning => await KillAsync(node),
                'd' when node.IsRunning => Drain(node),
                's' when !node.IsRunning => Start(node, table, cancellationToken),
                _ => table.Note,
            };
        }
    }

    private static async Task<string> KillAsync(ShopNode node)
    {
        await node.KillAsync();
        return $"{node.Name} was killed with SIGKILL";
    }

    private static string Drain(ShopNode node)
    {
        node.Drain();
        return $"{node.Name} drains (SIGTERM)";
    }

    private static string Start(ShopNode node, LiveTable table, CancellationToken cancellationToken)
    {
        _ = ReportAsync();
        return $"{node.Name} starts";

        async Task ReportAsync()
        {
            try
            {
                await node.StartAsync(cancellationToken);
                table.Note = $"{node.Name} is ready";
            }
            catch (FarmException fault)
            {
                table.Note = fault.Message;
            }
            catch (OperationCanceledException)
            {
                // The farm stops.
            }
        }
    }

    private static ChannelReader<char> Pressed()
    {
        var pressed = Channel.CreateUnbounded<char>();
        if (!Console.IsInputRedirected)
        {
            // Reading a key blocks: a thread of its own, which ends with the process.
            new Thread(() =>
            {
                while (true)
                {
                    pressed.Writer.TryWrite(char.ToLowerInvariant(Console.ReadKey(intercept: true).KeyChar));
                }
            })
            { IsBackground = true, Name = "keys" }.Start();
        }

        return pressed.Reader;
    }
}
