using Affinity.Sessions;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Affinity.Tests.Sessions;

public sealed class SessionDeltaTests
{
    private static readonly byte[] A = [1];
    private static readonly byte[] B = [2];

    [Fact]
    public void A_new_delta_is_empty_and_changes_nothing()
    {
        var delta = new SessionDelta();

        Assert.True(delta.IsEmpty);
        Assert.Equal(Items(("x", A)), delta.ApplyTo(Items(("x", A))));
    }

    [Fact]
    public void Applying_leaves_the_given_items_as_they_are()
    {
        var items = Items(("x", A));
        var delta = new SessionDelta();
        delta.Set("x", B);
        delta.Clear();

        delta.ApplyTo(items);

        Assert.Equal(Items(("x", A)), items);
    }

    [Fact]
    public void Two_deltas_on_different_keys_merge_in_either_order()
    {
        var first = new SessionDelta();
        first.Set("x", A);
        var second = new SessionDelta();
        second.Remove("y");
        var items = Items(("y", B), ("z", B));

        Assert.Equal(second.ApplyTo(first.ApplyTo(items)), first.ApplyTo(second.ApplyTo(items)));
    }

    [Fact]
    public void Clear_drops_what_was_set_before_it_and_keeps_what_is_set_after()
    {
        var delta = new SessionDelta();
        delta.Set("x", A);
        delta.Clear();
        delta.Set("y", B);

        Assert.Equal(Items(("y", B)), delta.ApplyTo(Items(("x", A), ("z", A))));
    }

    [Fact]
    public void An_update_runs_again_on_the_newer_value()
    {
        var delta = new SessionDelta();
        var seen = delta.Update("n", [5], Increment);

        Assert.Equal<byte>([6], seen!);
        Assert.Equal<byte>([10], delta.ApplyTo(Items(("n", [9])))["n"]);
        Assert.True(delta.HasUpdates);
    }

    [Fact]
    public void Two_updates_of_one_key_in_one_request_both_run_again()
    {
        var delta = new SessionDelta();
        var seen = delta.Update("n", current: null, Increment);
        delta.Update("n", seen, Increment);

        Assert.Equal<byte>([42], delta.ApplyTo(Items(("n", [40])))["n"]);
    }

    [Fact]
    public void An_update_after_a_set_in_the_same_request_is_a_set()
    {
        var delta = new SessionDelta();
        delta.Set("n", [1]);
        delta.Update("n", [1], Increment);

        Assert.False(delta.HasUpdates);
        Assert.Equal<byte>([2], delta.ApplyTo(Items(("n", [40])))["n"]);
    }

    [Fact]
    public void An_update_after_clear_starts_from_nothing()
    {
        var delta = new SessionDelta();
        delta.Clear();
        delta.Update("n", current: null, Increment);

        Assert.Equal<byte>([1], delta.ApplyTo(Items(("n", [40])))["n"]);
    }

    [Fact]
    public void An_update_that_answers_null_removes_the_key()
    {
        var delta = new SessionDelta();
        delta.Update("n", [1], _ => null);

        Assert.Empty(delta.ApplyTo(Items(("n", [40]))));
    }

    [Fact]
    public void A_request_sees_what_the_same_delta_makes_of_its_snapshot()
    {
        Prop.ForAll(Arb.From(Operations()), operations =>
        {
            var items = Items(("a", [10]), ("b", [20]));
            var (delta, model) = (new SessionDelta(), new Dictionary<string, byte[]>(items, StringComparer.Ordinal));
            foreach (var (kind, key, value) in operations)
            {
                Apply(kind, key, value, delta, model, items);
            }

            var applied = delta.ApplyTo(items);
            return applied.Count == model.Count && applied.All(item => model[item.Key].SequenceEqual(item.Value));
        }).QuickCheckThrowOnFailure();
    }

    private static Gen<(int Kind, string Key, byte Value)[]> Operations() =>
        Gen.ArrayOf(
            from kind in Gen.Choose(0, 3)
            from key in Gen.Elements("a", "b", "c")
            from value in Gen.Choose(0, 255)
            select (kind, key, (byte)value));

    private static void Apply(int kind, string key, byte value, SessionDelta delta, Dictionary<string, byte[]> model, Dictionary<string, byte[]> items)
    {
        switch (kind)
        {
            case 0:
                delta.Set(key, [value]);
                model[key] = [value];
                break;
            case 1:
                delta.Remove(key);
                model.Remove(key);
                break;
            case 2:
                var current = delta.TryGet(key, out var changed) ? changed : items.GetValueOrDefault(key);
                Assert.Equal(model.GetValueOrDefault(key), current);
                delta.Update(key, current, Increment);
                model[key] = Increment(model.GetValueOrDefault(key));
                break;
            default:
                delta.Clear();
                model.Clear();
                break;
        }
    }

    private static byte[] Increment(byte[]? old) => [(byte)((old?[0] ?? 0) + 1)];

    private static Dictionary<string, byte[]> Items(params (string Key, byte[] Value)[] items) =>
        items.ToDictionary(item => item.Key, item => item.Value, StringComparer.Ordinal);
}
