using Affinity.Tool;

if (args is [SchemaCommand.Name, ..])
{
    return await SchemaCommand.RunAsync(args, Console.Out, Console.Error);
}

await using var input = Console.OpenStandardInput();
return await InspectCommand.RunAsync(args, input, Console.Out, Console.Error, Environment.GetEnvironmentVariable, TimeProvider.System);
