using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace ShopSample.Pages;

internal sealed class BasketModel : PageModel
{
    public const int MostOfOne = 999;

    public Basket Basket => HttpContext.Session.Visit().Basket;

    public IActionResult OnPostChange([Required] string productId, [Required, Range(0, MostOfOne)] int? quantity)
    {
        if (!ModelState.IsValid)
        {
            TempData["Notice"] = $"A quantity is a number from 0 to {MostOfOne}.";
            return RedirectToPage();
        }

        HttpContext.Session.ChangeBasket(b => b.Change(productId, quantity!.Value));
        return RedirectToPage();
    }

    public IActionResult OnPostRemove(string productId)
    {
        HttpContext.Session.ChangeBasket(b => b.Remove(productId));
        return RedirectToPage();
    }

    public async Task<IActionResult> OnPostCheckOutAsync()
    {
        if (await HttpContext.Session.CheckOutAsync() is not { } order)
        {
            TempData["Notice"] = "There was nothing left in the basket to order.";
            return RedirectToPage();
        }

        TempData["Order"] = order.Number;
        return RedirectToPage("/Orders");
    }
}
